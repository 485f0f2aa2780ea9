//! Pages of rows and Arrow, from outside: against Spark's own bytes, against each other, and hostile.

#[cfg(test)]
mod batches;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod round_trips;
#[cfg(test)]
mod spark;
#[cfg(test)]
mod support;
