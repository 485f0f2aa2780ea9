//! What a function may give back, from outside.

#[cfg(test)]
mod hostile;
