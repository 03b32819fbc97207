//! `jsonb` as text: pgrx's own type parses arguments and dies of more than 128 levels, where rules are to be told; and it
//! wants answers as a tree, where a structure can be written at once.

use octopush_rules::segment::json;
use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::nullable::Nullable;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::prelude::*;
use pgrx::{
    FromDatum, IntoDatum, PgSqlErrorCode, direct_function_call, direct_function_call_as_datum, pg_sys,
};
use serde::Serialize;
use serde_json::Value;
use std::ffi::CString;

/// The text of a `jsonb`, argument or answer.
pub struct JsonText(pub String);

impl JsonText {
    /// The text of an answer.
    pub fn of(answer: &impl Serialize) -> JsonText {
        let text = serde_json::to_string(answer);
        JsonText(text.unwrap_or_else(|error| invalid(&error.to_string())))
    }

    /// Its value; one that is nested too deeply is the caller's mistake.
    pub fn read(&self) -> Value {
        json::read(&self.0).unwrap_or_else(|problem| invalid(&problem.message))
    }
}

/// Refuses an argument.
pub fn invalid(message: &str) -> ! {
    ereport!(
        ERROR,
        PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        message.to_owned()
    );
}

impl IntoDatum for JsonText {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        let text = CString::new(self.0).unwrap_or_else(|_| invalid("JSON holds no zero bytes"));
        // SAFETY: jsonb_in reads the text and answers a value of its own.
        unsafe { direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(text.as_ptr().into())]) }
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::JSONBOID
    }
}

// SAFETY: the datum is that of the declared type, and it is returned.
unsafe impl BoxRet for JsonText {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.into_datum() {
            // SAFETY: as above.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
            None => fcinfo.return_null(),
        }
    }
}

impl FromDatum for JsonText {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _: pg_sys::Oid,
    ) -> Option<JsonText> {
        if is_null {
            return None;
        }
        // SAFETY: the argument is declared jsonb, and jsonb_out detoasts by itself and answers a text of its own.
        let text = unsafe { direct_function_call::<&core::ffi::CStr>(pg_sys::jsonb_out, &[Some(datum)]) }?;
        Some(JsonText(text.to_string_lossy().into_owned()))
    }
}

// SAFETY: it is read as any datum is; null is passed on as null.
unsafe impl<'fcx> ArgAbi<'fcx> for JsonText {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the declaration in SQL says jsonb.
        unsafe { arg.unbox_arg_using_from_datum() }.expect("a strict function has no null argument")
    }

    unsafe fn unbox_nullable_arg(arg: Arg<'_, 'fcx>) -> Nullable<Self> {
        // SAFETY: the declaration in SQL says jsonb.
        unsafe { arg.unbox_arg_using_from_datum().into() }
    }
}

// SAFETY: the type of the argument in SQL is the one that from_polymorphic_datum reads.
unsafe impl SqlTranslatable for JsonText {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(JsonText);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("jsonb"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Ok(ReturnsRef::One(SqlMappingRef::literal("jsonb")));
}
