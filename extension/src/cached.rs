//! `jsonb` arguments that are the same for many rows: read once, not once a row.

use octopush_rules::campaign::values::Variables;
use octopush_rules::template::model::Template;
use pgrx::callconv::{Arg, ArgAbi};
use pgrx::nullable::Nullable;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, pg_sys};
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;
use std::thread::LocalKey;

use crate::json_text::JsonText;

/// A campaign has at most three variants, whose rows come mixed.
const ENTRIES: usize = 3;

/// The stored bytes that were read last, newest first, with what they mean.
type Entries<T> = RefCell<Vec<(Box<[u8]>, Rc<T>)>>;

/// What is read of a `jsonb` and kept.
pub trait Read: Sized + 'static {
    fn entries() -> &'static LocalKey<Entries<Self>>;
    fn read(value: &Value) -> Self;
}

thread_local! {
    static TEMPLATES: Entries<Template> = const { RefCell::new(Vec::new()) };
    static VARIABLES: Entries<Variables> = const { RefCell::new(Vec::new()) };
}

impl Read for Template {
    fn entries() -> &'static LocalKey<Entries<Self>> {
        &TEMPLATES
    }

    fn read(value: &Value) -> Self {
        Template::parse(value)
    }
}

impl Read for Variables {
    fn entries() -> &'static LocalKey<Entries<Self>> {
        &VARIABLES
    }

    fn read(value: &Value) -> Self {
        Variables::parse(value)
    }
}

/// A `jsonb` argument as what it means.
pub struct Cached<T>(Rc<T>);

impl<T> Cached<T> {
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// The value of these stored bytes, of which `read` makes it when they are new.
fn remembered<T: Read>(bytes: &[u8], read: impl FnOnce() -> T) -> Rc<T> {
    let known = T::entries().with_borrow_mut(|entries| {
        let position = entries.iter().position(|(known, _)| **known == *bytes)?;
        entries[..=position].rotate_right(1);
        Some(Rc::clone(&entries[0].1))
    });
    if let Some(known) = known {
        return known;
    }
    // Not while the entries are borrowed: reading may raise.
    let made = Rc::new(read());
    T::entries().with_borrow_mut(|entries| {
        entries.truncate(ENTRIES - 1);
        entries.insert(0, (bytes.into(), Rc::clone(&made)));
    });
    made
}

impl<T: Read> FromDatum for Cached<T> {
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, oid: pg_sys::Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the argument is declared jsonb, a varlena; what is detoasted lives as long as the call's memory,
        // and the bytes are not used after it.
        let made = unsafe {
            let stored = pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr());
            let bytes = std::slice::from_raw_parts(
                pgrx::varlena::vardata_any(stored).cast::<u8>(),
                pgrx::varlena::varsize_any_exhdr(stored),
            );
            remembered(bytes, || {
                let text = JsonText::from_polymorphic_datum(datum, false, oid);
                T::read(&text.map_or(Value::Null, |text| text.read()))
            })
        };
        Some(Cached(made))
    }
}

// SAFETY: it is read as any datum is; null is passed on as null.
unsafe impl<'fcx, T: Read> ArgAbi<'fcx> for Cached<T> {
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
unsafe impl<T: Read> SqlTranslatable for Cached<T> {
    const TYPE_IDENT: &'static str = JsonText::TYPE_IDENT;
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("jsonb"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Ok(ReturnsRef::One(SqlMappingRef::literal("jsonb")));
}
