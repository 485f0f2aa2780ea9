//! What an Arrow IPC schema message means in memory.

use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Schema};
use ember_abi::ArrowSchema;
use ember_rows::{ReturnedSchema, RowsError};
use ember_wire::Shape;

/// The type of a session's batches.
pub(crate) struct BatchType(FFI_ArrowSchema);

impl BatchType {
    /// Reads the message.
    pub(crate) fn read(message: &[u8]) -> Result<Self, RowsError> {
        let schema: Schema = arrow_ipc::convert::try_schema_from_ipc_buffer(message)?;
        Ok(Self(FFI_ArrowSchema::try_from(&DataType::Struct(
            schema.fields,
        ))?))
    }

    /// How its buffers lie.
    pub(crate) fn shape(&self) -> Result<Shape, RowsError> {
        let schema: *const FFI_ArrowSchema = &raw const self.0;
        let schema: *const ArrowSchema = schema.cast();
        // SAFETY: the same struct of the C Data Interface under another name, and it lives.
        let schema = unsafe { &*schema };
        // SAFETY: complete: it was just made.
        Ok(unsafe { Shape::of(schema) }?)
    }

    /// The same as what output is checked with.
    pub(crate) fn returned(self) -> Result<ReturnedSchema, RowsError> {
        let mut schema = std::mem::ManuallyDrop::new(self.0);
        let schema: *mut FFI_ArrowSchema = &raw mut *schema;
        // SAFETY: live, and moved out once: it is never dropped here.
        unsafe { ReturnedSchema::take(schema.cast()) }
    }
}
