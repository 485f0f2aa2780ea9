//! The process that has imported the libraries and forks workers, and the thread that hears from it.
//!
//! The thread that started the zygote must outlive it: the kernel ends the zygote with that thread, and the
//! workers with the zygote, so nothing of ours survives an executor, whatever ends it. Only this thread waits
//! for the process, and only for this one; its children are its own to wait for.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use ember_wire::Socket;
use serde::Deserialize;

use crate::ProcessError;
use crate::config::ZygoteConfig;
use crate::life::Life;
use crate::worker::{Gift, Parent};

/// A running zygote. Its workers hold it; once nobody does, the process is ended.
#[derive(Debug)]
pub(crate) struct Zygote(Arc<Line>);

/// What the zygote's owner and the thread that listens to it share.
#[derive(Debug)]
struct Line {
    socket: OwnedFd,
    /// The number of the last fork that was asked for; held until its answer has come.
    asked: Mutex<u64>,
    heard: Mutex<Heard>,
    news: Condvar,
    /// A fork was not answered in time: no other is asked for. What it answers yet is nobody's.
    stuck: AtomicBool,
    /// Nobody wants the process any more.
    let_go: AtomicBool,
}

#[derive(Debug, Default)]
struct Heard {
    ready: bool,
    /// The last answer, with the number of its question.
    forked: Option<(u64, Result<i32, String>)>,
    workers: HashMap<i32, Weak<Life>>,
    /// Ends that came before their worker was known here.
    early: HashMap<i32, i32>,
    /// Set when the zygote has gone, with what it said of that.
    gone: Option<String>,
}

/// What the zygote says, one JSON object a message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum News {
    Ready,
    Forked(u64, i32),
    Refused(u64, String),
    Ended(i32, i32),
    Failed(String),
}

/// The longest message of the zygote's.
const LONGEST: usize = 16 << 10;

impl Zygote {
    /// Starts the process and waits until it is ready to fork, at most for `limit`; then it is ended.
    pub(crate) fn start(config: &ZygoteConfig, limit: Duration) -> Result<Arc<Self>, ProcessError> {
        let (here, there) = Socket::pair()?;
        let zygote = Self(Arc::new(Line {
            socket: here.into_inner(),
            asked: Mutex::default(),
            heard: Mutex::default(),
            news: Condvar::new(),
            stuck: AtomicBool::new(false),
            let_go: AtomicBool::new(false),
        }));
        let (line, config) = (Arc::clone(&zygote.0), config.clone());
        thread::Builder::new()
            .name("ember-zygote".to_owned())
            .spawn(move || line.live(&config, there.into_inner()))
            .map_err(|error| ProcessError::System("the zygote's thread", error))?;
        zygote.0.wait(limit, |heard| heard.ready.then_some(()))?;
        Ok(Arc::new(zygote))
    }

    /// Whether it can still fork.
    pub(crate) fn lives(&self) -> bool {
        !self.0.stuck.load(Ordering::SeqCst) && self.0.heard().gone.is_none()
    }

    /// Forks a worker that gets `gift`, and whose socket ends `here`, within `limit`. One that comes later finds
    /// that socket closed, and ends. Who waits behind a fork that was not answered in time is refused with it.
    pub(crate) fn fork(
        &self,
        gift: &Gift,
        here: Socket,
        limit: Duration,
    ) -> Result<Arc<Life>, ProcessError> {
        let zygote = &self.0;
        let mut asked = zygote.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if zygote.stuck.load(Ordering::SeqCst) {
            let why = "did not answer an earlier fork in time".to_owned();
            return Err(ProcessError::Zygote(why));
        }
        *asked += 1;
        let question = *asked;
        let descriptors = [
            gift.socket.as_raw_fd(),
            gift.input.as_raw_fd(),
            gift.output.as_raw_fd(),
        ];
        send(
            &zygote.socket,
            format!("fork {question}").as_bytes(),
            &descriptors,
        )?;
        let forked = zygote
            .wait(limit, |heard| {
                let answer = heard.forked.take_if(|(number, _)| *number == question);
                answer.map(|(_, forked)| forked)
            })
            .inspect_err(|_| zygote.stuck.store(true, Ordering::SeqCst))?;
        drop(asked);
        let pid = forked.map_err(|error| ProcessError::Zygote(format!("cannot fork: {error}")))?;
        let life = Arc::new(Life::new(pid, here));
        let mut heard = zygote.heard();
        if let Some(status) = heard.early.remove(&pid) {
            life.end(status);
        } else {
            heard.workers.insert(pid, Arc::downgrade(&life));
        }
        drop(heard);
        Ok(life)
    }
}

impl Line {
    fn wait<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&mut Heard) -> Option<T>,
    ) -> Result<T, ProcessError> {
        let mut found = None;
        let (heard, _timed_out) = self
            .news
            .wait_timeout_while(self.heard(), limit, |heard| {
                found = look(heard);
                found.is_none() && heard.gone.is_none()
            })
            .unwrap_or_else(PoisonError::into_inner);
        let gone = heard.gone.clone();
        drop(heard);
        found.ok_or_else(|| {
            ProcessError::Zygote(
                gone.unwrap_or_else(|| format!("did not answer within {} s", limit.as_secs())),
            )
        })
    }

    /// The thread: starts the process, listens until it has gone, and waits for it.
    fn live(&self, config: &ZygoteConfig, there: OwnedFd) {
        let script = config.worker_package.join("ember_worker/process/zygote.py");
        let child = Command::new(&config.executable)
            .arg(script)
            .arg(&config.bridge)
            .envs(&config.environment)
            .stdin(Stdio::from(there))
            .stdout(Stdio::inherit())
            .spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => return self.gone(format!("cannot be started: {error}")),
        };
        let mut last = None;
        while let Some(message) = receive(&self.socket) {
            match serde_json::from_slice(&message) {
                Ok(News::Failed(why)) => last = Some(format!("failed: {why}")),
                Ok(news) => self.hear(news),
                Err(error) => last = Some(format!("said something else: {error}")),
            }
        }
        let status = self.bury(&mut child);
        self.gone(last.unwrap_or_else(|| format!("has ended: {status}")));
    }

    /// Waits for the process, which may still import when nobody wants it any more: it would not notice.
    fn bury(&self, child: &mut Child) -> String {
        if self.let_go.load(Ordering::SeqCst)
            && let Err(error) = child.kill()
        {
            return error.to_string();
        }
        child
            .wait()
            .map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    fn hear(&self, news: News) {
        let mut heard = self.heard();
        match news {
            News::Ready => heard.ready = true,
            News::Forked(question, pid) => heard.forked = Some((question, Ok(pid))),
            News::Refused(question, why) => heard.forked = Some((question, Err(why))),
            News::Failed(_) => {} // told with its end
            News::Ended(pid, status) => heard.ended(pid, status),
        }
        drop(heard);
        self.news.notify_all();
    }

    fn gone(&self, why: String) {
        let mut heard = self.heard();
        heard.gone = Some(why);
        let orphans: Vec<_> = heard.workers.drain().collect();
        drop(heard);
        for (_, life) in orphans {
            if let Some(life) = life.upgrade() {
                life.end(libc::SIGKILL); // the kernel's, to children of a zygote that has gone
            }
        }
        self.news.notify_all();
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn ended(&mut self, pid: i32, status: i32) {
        let awaited = matches!(&self.forked, Some((_, Ok(forked))) if *forked == pid);
        if let Some(life) = self.workers.remove(&pid) {
            if let Some(life) = life.upgrade() {
                life.end(status);
            }
        } else {
            if !awaited && self.early.len() >= 64 {
                self.early.clear();
            }
            self.early.insert(pid, status);
        }
    }
}

impl Parent for Zygote {
    fn kill(&self, pid: i32) {
        // A zygote that has gone has taken its workers along.
        let _sent = send(&self.0.socket, format!("kill {pid}").as_bytes(), &[]).is_ok();
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        self.0.let_go.store(true, Ordering::SeqCst);
        // SAFETY: an open socket; the thread that listens wakes.
        unsafe { libc::shutdown(self.0.socket.as_fd().as_raw_fd(), libc::SHUT_RDWR) };
    }
}

/// Sends one message, and descriptors with it.
fn send(socket: &OwnedFd, text: &[u8], descriptors: &[i32]) -> Result<(), ProcessError> {
    let mut text = libc::iovec {
        iov_base: text.as_ptr().cast_mut().cast(),
        iov_len: text.len(),
    };
    // Room for one control message of three descriptors, aligned as its header is.
    let mut room = [0_u64; 8];
    let bytes = u32::try_from(size_of_val(descriptors)).unwrap_or(0);
    // SAFETY: a struct of numbers and pointers, for which zero means none.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut text;
    message.msg_iovlen = 1;
    if !descriptors.is_empty() {
        message.msg_control = room.as_mut_ptr().cast();
        // SAFETY: arithmetic.
        message.msg_controllen = unsafe { libc::CMSG_SPACE(bytes) } as usize;
        // SAFETY: the control message above has room for its header.
        let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
        // SAFETY: not null, for the room is longer than a header, and aligned as one.
        let header = unsafe { &mut *header };
        header.cmsg_level = libc::SOL_SOCKET;
        header.cmsg_type = libc::SCM_RIGHTS;
        // SAFETY: arithmetic.
        header.cmsg_len = unsafe { libc::CMSG_LEN(bytes) } as usize;
        // SAFETY: the header of a control message with room for the descriptors.
        let data = unsafe { libc::CMSG_DATA(header) };
        // SAFETY: as above; a descriptor is four bytes.
        unsafe { std::ptr::copy_nonoverlapping(descriptors.as_ptr().cast(), data, bytes as usize) };
    }
    // SAFETY: everything the struct leads to lives through the call.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) };
    if sent < 0 {
        let error = std::io::Error::last_os_error();
        return Err(ProcessError::System("asking the zygote", error));
    }
    Ok(())
}

/// The next message; `None` when the other end has gone.
fn receive(socket: &OwnedFd) -> Option<Vec<u8>> {
    let mut bytes = vec![0_u8; LONGEST];
    loop {
        // SAFETY: an open socket and room for the bytes.
        let received = unsafe {
            libc::recv(
                socket.as_raw_fd(),
                bytes.as_mut_ptr().cast(),
                bytes.len(),
                0,
            )
        };
        if received < 0 && std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted
        {
            continue;
        }
        let received = usize::try_from(received)
            .ok()
            .filter(|received| *received > 0)?;
        bytes.truncate(received);
        return Some(bytes);
    }
}
