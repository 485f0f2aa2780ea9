//! Zygotes that are shell scripts: slow, silent and late ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ember_wire::{Socket, shared_file};

use crate::config::ZygoteConfig;
use crate::nursery::Nursery;
use crate::worker::Gift;
use crate::zygote::Zygote;
use crate::{Config, Workers, let_zygotes_go};

const SOON: Duration = Duration::from_secs(20);

/// Tells its number, and never that it is ready.
const SLOW: &str = "exec sleep 600";
/// Is ready, and forks nothing.
const READY: &str = "printf '\"ready\"' >&0; exec sleep 600";
/// Answers a fork after a second, and tells then that the child has ended.
const LATE: &str = r#"
printf '"ready"' >&0
dd bs=4096 count=1 <&0 >/dev/null 2>&1
sleep 1
printf '{"forked":[1,1000]}' >&0
printf '{"ended":[1000,0]}' >&0
exec sleep 600
"#;

/// A folder with a shell script in the place of the zygote's.
struct Stage(PathBuf);

impl Stage {
    fn of(script: &str) -> Self {
        static STAGES: AtomicUsize = AtomicUsize::new(0);
        let number = STAGES.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("zygote-{}-{number}", std::process::id()));
        let package = folder.join("ember_worker/process");
        fs::create_dir_all(&package).unwrap();
        let told = folder.join("started").display().to_string();
        let text = format!("echo $$ >> {told}\n{script}\n");
        fs::write(package.join("zygote.py"), text).unwrap();
        Self(folder)
    }

    fn config(&self) -> ZygoteConfig {
        ZygoteConfig {
            executable: PathBuf::from("/bin/sh"),
            bridge: PathBuf::from("/b"),
            worker_package: self.0.clone(),
            environment: BTreeMap::new(),
        }
    }

    /// The numbers of the processes that were started.
    fn started(&self) -> Vec<String> {
        let told = fs::read_to_string(self.0.join("started")).unwrap_or_default();
        told.lines().map(str::to_owned).collect()
    }

    fn wait_for_ends(&self) {
        let begun = Instant::now();
        while self
            .started()
            .iter()
            .any(|pid| Path::new("/proc").join(pid).exists())
        {
            assert!(begun.elapsed() < SOON, "{:?} are there", self.started());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0).is_ok();
    }
}

fn gift() -> (Gift, Socket) {
    let (here, there) = Socket::pair().unwrap();
    let gift = Gift {
        socket: there.into_inner(),
        input: shared_file(c"input").unwrap(),
        output: shared_file(c"output").unwrap(),
    };
    (gift, here)
}

#[test]
fn a_zygote_that_is_not_ready_in_time_is_ended() {
    let stage = Stage::of(SLOW);
    let begun = Instant::now();
    let refused = Zygote::start(&stage.config(), Duration::from_secs(1)).unwrap_err();
    assert!(
        refused.to_string().contains("did not answer within"),
        "{refused}"
    );
    assert!(begun.elapsed() < SOON);
    assert_eq!(stage.started().len(), 1);
    stage.wait_for_ends();
}

#[test]
fn sessions_that_come_meanwhile_or_soon_share_one_failed_start() {
    let stage = Stage::of(SLOW);
    let (nursery, limit) = (Nursery::default(), Duration::from_secs(1));
    let told = Mutex::new(Vec::new());
    let ask = || {
        let refused = nursery.zygote(&stage.config(), limit).unwrap_err();
        told.lock().unwrap().push(refused.to_string());
    };
    let begun = Instant::now();
    thread::scope(|tasks| {
        for _ in 0..8 {
            tasks.spawn(ask);
        }
    });
    ask();
    let mut told = told.into_inner().unwrap();
    assert_eq!(told.len(), 9);
    told.dedup();
    assert_eq!((told.len(), stage.started().len()), (1, 1));
    assert!(begun.elapsed() < limit * 4, "{:?}", begun.elapsed());
}

#[test]
fn a_zygote_that_nobody_holds_is_ended() {
    let stage = Stage::of(READY);
    let nursery = Nursery::default();
    let zygote = nursery.zygote(&stage.config(), SOON).unwrap();
    assert!(zygote.lives());
    drop(nursery);
    assert!(zygote.lives(), "a worker may hold it");
    drop(zygote);
    stage.wait_for_ends();
}

#[test]
fn those_who_wait_behind_a_fork_that_hangs_do_not_wait_each_for_themselves() {
    let stage = Stage::of(READY);
    let (nursery, limit) = (Nursery::default(), Duration::from_secs(2));
    let stuck = nursery.zygote(&stage.config(), SOON).unwrap();
    let begun = Instant::now();
    thread::scope(|sessions| {
        for _ in 0..8 {
            sessions.spawn(|| {
                let (gift, here) = gift();
                let refused = stuck.fork(&gift, here, limit).unwrap_err();
                assert!(refused.to_string().contains("did not answer"), "{refused}");
            });
        }
    });
    assert!(begun.elapsed() < limit * 2, "{:?}", begun.elapsed());
    assert!(!stuck.lives());
    let next = nursery.zygote(&stage.config(), SOON).unwrap();
    assert!(next.lives());
    let [first, _] = stage.started().try_into().unwrap();
    assert!(
        Path::new("/proc").join(&first).exists(),
        "its workers may live"
    );
    drop((nursery, next, stuck));
    stage.wait_for_ends();
}

#[test]
fn after_a_late_answer_no_worker_can_have_the_number_of_one_that_ended_unseen() {
    let stage = Stage::of(LATE);
    let zygote = Zygote::start(&stage.config(), SOON).unwrap();
    let (first, here) = gift();
    let limit = Duration::from_millis(100);
    assert!(zygote.fork(&first, here, limit).is_err());
    thread::sleep(Duration::from_secs(2));
    let (second, here) = gift();
    assert!(zygote.fork(&second, here, SOON).is_err());
    assert!(!zygote.lives());
}

#[test]
fn a_zygote_of_a_python_that_was_brought_ends_with_its_workers_and_another_stays() {
    for brought in [true, false] {
        let stage = Stage::of(READY);
        let json = format!(
            r#"{{"executable":"/bin/sh","bridge":"/b","workerPackage":{:?},"environment":{{}},"scope":"a",
            "brought":{brought},"idleSeconds":60,"residentBytes":1,"startSeconds":20}}"#,
            stage.0
        );
        let workers = Workers::new(Config::parse(json.as_bytes()).unwrap());
        let zygote = workers.zygote().unwrap();
        workers.let_go();
        assert!(zygote.lives(), "one of its workers may be in a session");
        drop(zygote);
        if brought {
            let late = workers.zygote().unwrap();
            assert!(late.lives(), "of a task that was on its way");
        } else {
            assert!(workers.zygote().unwrap().lives());
            assert_eq!(stage.started().len(), 1);
            let_zygotes_go();
        }
        stage.wait_for_ends();
    }
}
