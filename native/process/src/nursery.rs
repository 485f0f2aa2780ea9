//! Where the zygote of one environment is, once it was needed, or why there is none.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::ProcessError;
use crate::config::ZygoteConfig;
use crate::zygote::Zygote;

/// How long a failed start stands for those that would follow: an environment may become better, but a start
/// that is too slow costs each of them its whole limit.
const STANDS: Duration = Duration::from_secs(30);

/// One zygote at a time.
///
/// ```text
/// empty --needed--> started --it has gone--> started anew
///   ^  `--its start failed--> failed --after a while--.
///   `-------------------------------------------------'
/// ```
#[derive(Debug, Default)]
pub(crate) struct Nursery(Mutex<Standing>);

#[derive(Debug, Default)]
enum Standing {
    #[default]
    Empty,
    Started(Arc<Zygote>),
    Failed(String, Instant),
}

impl Nursery {
    /// The zygote that lives, or one that is started now. Who comes meanwhile waits for the same one, and shares
    /// its failure.
    pub(crate) fn zygote(
        &self,
        config: &ZygoteConfig,
        limit: Duration,
    ) -> Result<Arc<Zygote>, ProcessError> {
        let mut standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*standing {
            Standing::Started(zygote) if zygote.lives() => return Ok(Arc::clone(zygote)),
            Standing::Failed(why, since) if since.elapsed() < STANDS => {
                return Err(ProcessError::Zygote(why.clone()));
            }
            Standing::Empty | Standing::Started(_) | Standing::Failed(..) => {}
        }
        let started = Zygote::start(config, limit);
        *standing = match &started {
            Ok(zygote) => Standing::Started(Arc::clone(zygote)),
            Err(ProcessError::Zygote(why)) => Standing::Failed(why.clone(), Instant::now()),
            // What the system lacks at the moment takes no time to ask for again.
            Err(_) => Standing::Empty,
        };
        drop(standing);
        started
    }
}
