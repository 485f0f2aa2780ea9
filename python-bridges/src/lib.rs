//! One Python minor version's side of the border.
//!
//! In: a table call from the loader, on a lane thread. Out: `ember_worker` runs, batches come and go
//! as C Data Interface structs, and nothing unwinds. This crate is built once per Python minor
//! version and is never linked to a libpython: the loader has opened the right one, globally, before
//! this library is opened.

mod arenas;
mod endpoint;
mod failure;
mod interrupt;
mod process;
mod rowfn;
mod run;
mod start;
mod stopwatch;
mod table;
