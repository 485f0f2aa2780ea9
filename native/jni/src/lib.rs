//! The native methods of `dev.ember.nativeapi.NativeApi`.
//!
//! In: handles, byte arrays and layouts from the JVM. Out: the same, or a thrown `NativeException`.
//! No Rust panic and no Python error passes this border in any other form ([`errors`]), and no
//! handle is a pointer: a stale one is an error, not a crash ([`handles`]).

mod columns;
mod errors;
mod handles;
mod locked;
mod methods;
mod process;
mod trim;
