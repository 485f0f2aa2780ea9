//! The workers that may serve the same sessions: one for each session, kept for the next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ember_session::SessionSpec;

use crate::config::ZygoteConfig;
use crate::keeper::Keeper;
use crate::nursery::Nursery;
use crate::session::ProcessSession;
use crate::worker::Worker;
use crate::zygote::Zygote;
use crate::{Config, ProcessError};

/// Zygotes of this process, one for each environment that is in use.
static NURSERIES: Mutex<BTreeMap<ZygoteConfig, Arc<Nursery>>> = Mutex::new(BTreeMap::new());

/// Keeps no zygote from now on: each ends with the last of its workers. Who needs one later starts it.
pub fn let_zygotes_go() {
    let leaving = std::mem::take(&mut *nurseries());
    drop(leaving);
}

fn nurseries() -> MutexGuard<'static, BTreeMap<ZygoteConfig, Arc<Nursery>>> {
    NURSERIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Idle workers, and where more come from. A session never waits for another's worker.
///
/// ```text
/// open --let_go--> closed: who is idle ends, and every other with its session
/// ```
#[derive(Debug)]
pub struct Workers {
    config: Config,
    /// Nothing once it is closed.
    idle: Mutex<Option<Vec<Worker>>>,
}

impl Workers {
    /// No worker yet; the zygote starts with the first.
    pub fn new(config: Config) -> Arc<Self> {
        let workers = Arc::new(Self {
            config,
            idle: Mutex::new(Some(Vec::new())),
        });
        Keeper::get().look_after(&workers);
        workers
    }

    /// Opens a session in an idle worker, or in a new one.
    pub fn open(self: &Arc<Self>, spec: &SessionSpec) -> Result<ProcessSession, ProcessError> {
        while let Some(mut worker) = self.take_idle() {
            // One that died since it was looked at is no reason to fail.
            if worker.open(spec).is_ok() {
                return ProcessSession::over(worker, Arc::clone(self), spec);
            }
        }
        let mut worker = Worker::fork(&self.zygote()?)?;
        worker.open(spec)?;
        ProcessSession::over(worker, Arc::clone(self), spec)
    }

    /// A pool whose idle workers are given.
    #[cfg(test)]
    pub(crate) fn of(config: Config, idle: Vec<Worker>) -> Arc<Self> {
        let workers = Self::new(config);
        if let Some(kept) = workers.kept().as_mut() {
            kept.extend(idle);
        }
        workers
    }

    /// How many workers wait for a session.
    pub fn idle(&self) -> usize {
        self.kept().as_ref().map_or(0, Vec::len)
    }

    /// Keeps no worker from now on: those that wait end, and the others when their sessions do. What forks
    /// them ends with the last of them, where nobody else has its Python.
    pub fn let_go(&self) {
        let leaving = self.kept().take();
        drop(leaving);
        if self.config.brought {
            let nursery = nurseries().remove(&self.config.zygote);
            drop(nursery);
        }
    }

    /// Takes a worker back that is ready for another session, unless it has grown too large, or none
    /// is kept.
    pub(crate) fn give(&self, mut worker: Worker) {
        if worker.resident() > self.config.limits.resident_bytes {
            return;
        }
        worker.rest();
        let refused = match self.kept().as_mut() {
            Some(idle) => {
                idle.push(worker);
                None
            }
            None => Some(worker),
        };
        drop(refused);
    }

    /// Lets go of workers that have been idle for too long, or have died.
    pub(crate) fn trim(&self, now: Instant) {
        let limit = self.config.limits.idle();
        let mut kept = self.kept();
        let Some(idle) = kept.as_mut() else { return };
        let (leaving, staying): (Vec<_>, Vec<_>) = idle
            .drain(..)
            .partition(|worker| now.duration_since(worker.since) >= limit || !worker.is_silent());
        *idle = staying;
        drop(kept);
        drop(leaving);
    }

    /// The one that rested last: its memory is still warm.
    fn take_idle(&self) -> Option<Worker> {
        loop {
            let worker = self.kept().as_mut()?.pop()?;
            if worker.is_silent() {
                return Some(worker);
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Option<Vec<Worker>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where no worker is kept any more, what forks one goes with it.
    fn nursery(&self) -> Arc<Nursery> {
        if self.config.brought && self.kept().is_none() {
            return Arc::default();
        }
        Arc::clone(nurseries().entry(self.config.zygote.clone()).or_default())
    }

    pub(crate) fn zygote(&self) -> Result<Arc<Zygote>, ProcessError> {
        self.nursery()
            .zygote(&self.config.zygote, self.config.limits.start())
    }
}
