//! Rows of functions that declare their own columns, made known as rows of a table.
//!
//! `postrust-server` filters, orders and cuts what a function returns only if it returns rows of a table it knows; for
//! `returns table (…)` it would ignore all of that without a word.

use postrust_core::SchemaCache;
use postrust_core::api_request::QualifiedIdentifier;
use postrust_core::schema_cache::{Column, RetType, Routine, Table};

/// Gives every such function a table that no request can name.
pub fn complete(schema: &mut SchemaCache) {
    let mut tables = Vec::new();
    for routines in schema.routines.values_mut() {
        for (position, routine) in routines.iter_mut().enumerate() {
            if !routine.returns_composite || routine.output_columns.is_empty() {
                continue;
            }
            let table = rows_of(routine, position);
            let name = format!("{}.{}", table.schema, table.name);
            routine.return_type = match routine.return_type {
                RetType::Single(_) => RetType::Single(name),
                _ => RetType::SetOf(name),
            };
            tables.push(table);
        }
    }
    for table in tables {
        schema
            .tables
            .insert(QualifiedIdentifier::new(&table.schema, &table.name), table);
    }
}

fn rows_of(routine: &Routine, position: usize) -> Table {
    let columns = routine
        .output_columns
        .iter()
        .zip(1..)
        .map(|((name, pg_type), position)| {
            let column = Column {
                name: name.clone(),
                description: None,
                nullable: true,
                data_type: pg_type.clone(),
                nominal_type: pg_type.clone(),
                domain_type: None,
                max_len: None,
                default: None,
                enum_values: Vec::new(),
                is_pk: false,
                position,
                always_generated: false,
            };
            (name.clone(), column)
        })
        .collect();
    Table {
        // Overloads differ in their columns. No schema that is exposed has a name with spaces.
        schema: format!("record {position} of {}", routine.schema),
        name: routine.name.clone(),
        description: None,
        is_view: true,
        is_partitioned: false,
        insertable: false,
        updatable: false,
        deletable: false,
        pk_cols: Vec::new(),
        unique_constraints: Vec::new(),
        columns,
        computed_columns: Default::default(),
    }
}
