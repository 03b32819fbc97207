//! Asks the database who may see a change, and what of it.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use tokio_postgres::Statement;
use tokio_postgres::types::Type;

use super::Subscriber;
use crate::realtime::connection::OwnConnection;
use crate::realtime::pgoutput::{Cell, Change, Relation, Row};
use crate::realtime::replication::Committed;
use crate::realtime::visibility::Visibility;

/// A policy that takes longer than this for all subscribers of one change loses the change, not the stream.
const STATEMENT_TIMEOUT_MS: u32 = 10_000;

/// A change with everybody whose bindings cover it.
pub struct Case {
    pub relation: Arc<Relation>,
    pub action: &'static str,
    pub commit_time_micros: i64,
    xid: u32,
    /// Subscriber and position of the binding.
    pub(super) covering: Vec<(Arc<Subscriber>, usize)>,
    new: Texts,
    old: Texts,
}

/// What one role sees.
pub struct Verdict {
    /// JSON text.
    pub columns: String,
    /// JSON text.
    pub record: String,
    /// JSON text.
    pub old_record: String,
    pub errors: Option<Vec<String>>,
    /// Positions in the case's `covering`.
    pub visible: Vec<usize>,
}

/// Column names and values as text.
#[derive(Default)]
struct Texts {
    names: Vec<String>,
    values: Vec<Option<String>>,
}

impl Texts {
    fn of(relation: &Relation, row: Row, keys_only: bool) -> Self {
        let mut texts = Self::default();
        for (column, cell) in relation.columns.iter().zip(row) {
            let value = match cell {
                Cell::Unchanged => continue,
                Cell::Null => None,
                Cell::Text(text) => Some(text),
            };
            if !keys_only || column.is_key {
                texts.names.push(column.name.clone());
                texts.values.push(value);
            }
        }
        texts
    }
}

/// The action of a change as clients name it.
pub fn action(change: &Change) -> &'static str {
    match change {
        Change::Insert { .. } => "INSERT",
        Change::Update { .. } => "UPDATE",
        Change::Delete { .. } => "DELETE",
    }
}

impl Case {
    pub(super) fn new(committed: Committed, covering: Vec<(Arc<Subscriber>, usize)>) -> Self {
        let Committed {
            relation,
            change,
            commit_time_micros,
            xid,
        } = committed;
        let action = action(&change);
        let (new, old) = match change {
            Change::Insert { new } => (Texts::of(&relation, new, false), Texts::default()),
            Change::Update { old, new } => {
                // Without an old row the identity has not changed: its values are those of the new row.
                let old = Texts::of(&relation, old.unwrap_or_else(|| new.clone()), true);
                (Texts::of(&relation, new, false), old)
            }
            Change::Delete { old } => (Texts::default(), Texts::of(&relation, old, true)),
        };
        Self {
            relation,
            action,
            commit_time_micros,
            xid,
            covering,
            new,
            old,
        }
    }
}

/// Judges on a connection of its own.
pub struct Judge {
    connection: OwnConnection,
    statement: Statement,
    visibility: Visibility,
}

impl Judge {
    pub async fn connect(db: &tokio_postgres::Config) -> anyhow::Result<Self> {
        let connection = OwnConnection::open(db, "realtime_postgres_changes", STATEMENT_TIMEOUT_MS).await?;
        let client = &connection.client;
        let statement = client
            .prepare_typed(
                "select columns_json, record_json, old_record_json, errors, visible
                 from realtime.judge_change($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                &[
                    Type::OID,
                    Type::TEXT,
                    Type::TEXT_ARRAY,
                    Type::TEXT_ARRAY,
                    Type::TEXT_ARRAY,
                    Type::TEXT_ARRAY,
                    Type::TEXT_ARRAY,
                    Type::TEXT_ARRAY,
                    Type::INT4_ARRAY,
                    Type::JSONB,
                ],
            )
            .await?;
        let visibility = Visibility::prepare(client).await?;
        Ok(Self {
            connection,
            statement,
            visibility,
        })
    }

    /// One verdict per role among those who cover the change.
    pub async fn ask(&self, case: &Case) -> Result<Vec<Verdict>, tokio_postgres::Error> {
        let client = &self.connection.client;
        self.visibility.of(client, case.xid).await?;
        let mut positions: HashMap<(&str, &str), i32> = HashMap::new();
        let (mut roles, mut claims) = (Vec::new(), Vec::new());
        let mut callers = Vec::with_capacity(case.covering.len());
        for (subscriber, _) in &case.covering {
            let position = positions
                .entry((&subscriber.role, &subscriber.claims))
                .or_insert_with(|| {
                    roles.push(subscriber.role.as_str());
                    claims.push(subscriber.claims.as_str());
                    roles.len() as i32
                });
            callers.push(*position);
        }
        let filters: Vec<Value> = case
            .covering
            .iter()
            .map(|(subscriber, binding)| subscriber.bindings[*binding].filters_json())
            .collect();
        let rows = client
            .query(
                &self.statement,
                &[
                    &case.relation.oid,
                    &case.action,
                    &case.new.names,
                    &case.new.values,
                    &case.old.names,
                    &case.old.values,
                    &roles,
                    &claims,
                    &callers,
                    &Value::Array(filters),
                ],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| Verdict {
                columns: row.get(0),
                record: row.get(1),
                old_record: row.get(2),
                errors: row.get(3),
                visible: row
                    .get::<_, Vec<i32>>(4)
                    .into_iter()
                    .map(|position| position as usize - 1)
                    .collect(),
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::pgoutput::Column;

    fn relation() -> Arc<Relation> {
        let column = |name: &str, is_key| Column {
            name: name.into(),
            is_key,
        };
        Arc::new(Relation {
            oid: 1,
            schema: "public".into(),
            name: "notes".into(),
            columns: vec![column("id", true), column("body", false), column("big", false)],
        })
    }

    fn case(change: Change) -> Case {
        Case::new(
            Committed {
                relation: relation(),
                change,
                commit_time_micros: 0,
                xid: 0,
            },
            Vec::new(),
        )
    }

    fn text(value: &str) -> Cell {
        Cell::Text(value.into())
    }

    #[test]
    fn an_update_without_old_row_takes_the_key_from_the_new_one() {
        let case = case(Change::Update {
            old: None,
            new: vec![text("1"), Cell::Null, Cell::Unchanged],
        });
        assert_eq!(case.action, "UPDATE");
        assert_eq!(case.new.names, ["id", "body"]);
        assert_eq!(case.new.values, [Some("1".to_owned()), None]);
        assert_eq!(case.old.names, ["id"]);
        assert_eq!(case.old.values, [Some("1".to_owned())]);
    }

    #[test]
    fn a_delete_carries_the_identity_only() {
        let case = case(Change::Delete {
            old: vec![text("1"), Cell::Null, Cell::Null],
        });
        assert!(case.new.names.is_empty());
        assert_eq!(case.old.names, ["id"]);
    }
}
