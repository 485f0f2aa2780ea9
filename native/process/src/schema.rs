//! What an Arrow IPC schema message means in memory.

use std::sync::Arc;

use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Field, FieldRef, Schema};
use ember_abi::ArrowSchema;
use ember_rows::{ReturnedSchema, RowsError};
use ember_wire::Shape;

/// The type of a session's batches.
pub(crate) struct BatchType(FFI_ArrowSchema);

impl BatchType {
    /// Reads the message.
    pub(crate) fn read(message: &[u8]) -> Result<Self, RowsError> {
        let schema: Schema = arrow_ipc::convert::try_schema_from_ipc_buffer(message)?;
        let crossing = crossing(&DataType::Struct(schema.fields));
        Ok(Self(FFI_ArrowSchema::try_from(&crossing)?))
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

/// The type as it crosses: of a dictionary the indices, which are all that Spark's reader shows of it.
fn crossing(of: &DataType) -> DataType {
    let inside = |field: &FieldRef| -> FieldRef {
        let of = crossing(field.data_type());
        let plain = Field::new(field.name(), of, field.is_nullable());
        Arc::new(plain.with_metadata(field.metadata().clone()))
    };
    match of {
        DataType::Dictionary(index, _) => (**index).clone(),
        DataType::List(field) => DataType::List(inside(field)),
        DataType::LargeList(field) => DataType::LargeList(inside(field)),
        DataType::ListView(field) => DataType::ListView(inside(field)),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(inside(field), *size),
        DataType::Map(field, sorted) => DataType::Map(inside(field), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inside).collect()),
        other => other.clone(),
    }
}
