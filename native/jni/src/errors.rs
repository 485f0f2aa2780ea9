//! How failure looks on the other side.

use std::any::Any;

use ember_process::ProcessError;
use ember_rows::RowsError;
use ember_rows::pages::PageError;
use ember_session::LaneError;
use jni::errors::{ErrorPolicy, Result as JniResult};
use jni::jni_sig;
use jni::objects::{JThrowable, JValue};
use jni::{Env, jni_str};

/// Why a native call failed; the numbers are part of the contract with `NativeException`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum NativeError {
    /// Python did not start; the text is its own words.
    #[error("{0}")]
    Python(String),
    /// The embedded path cannot go on; the JVM is to run the task on Spark's own worker.
    #[error("cannot embed: {0}")]
    Unavailable(String),
    /// JNI itself failed.
    #[error(transparent)]
    Jni(#[from] jni::errors::Error),
    /// A handle or an argument that cannot be right; please report it.
    #[error("bad argument: {0}")]
    Argument(&'static str),
    /// The function's result is no sound Arrow batch.
    #[error("{0}")]
    Malformed(String),
    /// The process that ran the function has gone; the text says how.
    #[error("{0}")]
    Died(String),
}

impl NativeError {
    /// The code `NativeException` carries; 0 stands for a panic.
    const fn code(&self) -> i32 {
        match self {
            Self::Python(_) => 1,
            Self::Unavailable(_) => 2,
            Self::Jni(_) => 3,
            Self::Argument(_) => 4,
            Self::Malformed(_) => 5,
            Self::Died(_) => 6,
        }
    }
}

impl From<RowsError> for NativeError {
    fn from(error: RowsError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl From<PageError> for NativeError {
    fn from(error: PageError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl From<LaneError> for NativeError {
    fn from(error: LaneError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<ProcessError> for NativeError {
    fn from(error: ProcessError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Throws `dev.ember.nativeapi.NativeException(code, message)`; a panic is a failure with code 0.
#[derive(Debug)]
pub(crate) struct Throw;

impl Throw {
    fn throw<T: Default>(env: &mut Env<'_>, code: i32, message: &str) -> JniResult<T> {
        if env.exception_check() {
            return Ok(T::default());
        }
        let message = env.new_string(message)?;
        let exception = env.new_object(
            jni_str!("dev/ember/nativeapi/NativeException"),
            jni_sig!("(ILjava/lang/String;)V"),
            &[JValue::Int(code), JValue::Object(&message)],
        )?;
        let exception = env.cast_local::<JThrowable<'_>>(exception)?;
        // `throw` reports the exception that is now pending as an error of its own.
        match env.throw(exception) {
            Ok(()) | Err(jni::errors::Error::JavaException) => Ok(T::default()),
            Err(error) => Err(error),
        }
    }
}

impl<T: Default> ErrorPolicy<T, NativeError> for Throw {
    type Captures<'frame: 'call, 'call> = ();

    fn on_error<'frame: 'call, 'call>(
        env: &mut Env<'frame>,
        (): &mut (),
        error: NativeError,
    ) -> JniResult<T> {
        Self::throw(env, error.code(), &error.to_string())
    }

    fn on_panic<'frame: 'call, 'call>(
        env: &mut Env<'frame>,
        (): &mut (),
        payload: Box<dyn Any + Send + 'static>,
    ) -> JniResult<T> {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no text".to_owned());
        Self::throw(env, 0, &format!("native code panicked: {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_native_exception() {
        let codes = [
            NativeError::Python(String::new()).code(),
            NativeError::Unavailable(String::new()).code(),
            NativeError::Argument("").code(),
            NativeError::Malformed(String::new()).code(),
            NativeError::Died(String::new()).code(),
        ];
        assert_eq!(codes, [1, 2, 4, 5, 6]);
    }
}
