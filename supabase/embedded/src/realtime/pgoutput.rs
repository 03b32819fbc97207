//! Reading the messages of Postgres' own logical decoding plugin, protocol version 1, text format.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Buf, Bytes};

/// A published table as the stream described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    pub oid: u32,
    pub schema: String,
    pub name: String,
    pub columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// Part of the replica identity.
    pub is_key: bool,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Null,
    /// Stored out of line and not changed: the stream does not carry it.
    Unchanged,
    Text(String),
}

/// A row in the order of its relation's columns.
pub type Row = Vec<Cell>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Insert {
        new: Row,
    },
    /// `old` is there when the replica identity changed (its columns only) or is full.
    Update {
        old: Option<Row>,
        new: Row,
    },
    /// Columns outside the replica identity are null.
    Delete {
        old: Row,
    },
}

/// The message is not what the protocol says, or names a relation it has not described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unreadable replication message")]
pub struct Unreadable;

/// Keeps the relations a stream has described.
#[derive(Default)]
pub struct Decoder {
    relations: HashMap<u32, Arc<Relation>>,
}

impl Decoder {
    /// Reads one message; only row changes yield something.
    pub fn read(&mut self, mut message: Bytes) -> Result<Option<(Arc<Relation>, Change)>, Unreadable> {
        let input = &mut message;
        match byte(input)? {
            b'R' => {
                let relation = relation(input)?;
                self.relations.insert(relation.oid, Arc::new(relation));
                Ok(None)
            }
            b'I' => {
                let relation = self.relation(input)?;
                expect(input, b"N")?;
                Ok(Some((relation, Change::Insert { new: row(input)? })))
            }
            b'U' => {
                let relation = self.relation(input)?;
                let old = match expect(input, b"KON")? {
                    b'N' => None,
                    _ => {
                        let old = row(input)?;
                        expect(input, b"N")?;
                        Some(old)
                    }
                };
                Ok(Some((
                    relation,
                    Change::Update {
                        old,
                        new: row(input)?,
                    },
                )))
            }
            b'D' => {
                let relation = self.relation(input)?;
                expect(input, b"KO")?;
                Ok(Some((relation, Change::Delete { old: row(input)? })))
            }
            _ => Ok(None),
        }
    }

    fn relation(&self, input: &mut Bytes) -> Result<Arc<Relation>, Unreadable> {
        let oid = input.try_get_u32().map_err(|_| Unreadable)?;
        self.relations.get(&oid).cloned().ok_or(Unreadable)
    }
}

fn relation(input: &mut Bytes) -> Result<Relation, Unreadable> {
    let oid = input.try_get_u32().map_err(|_| Unreadable)?;
    let (schema, name) = (text(input)?, text(input)?);
    let _replica_identity = byte(input)?;
    let count = input.try_get_u16().map_err(|_| Unreadable)?;
    let mut columns = Vec::with_capacity(count.into());
    for _ in 0..count {
        let is_key = byte(input)? & 1 == 1;
        let name = text(input)?;
        let _type_oid = input.try_get_u32().map_err(|_| Unreadable)?;
        let _type_modifier = input.try_get_i32().map_err(|_| Unreadable)?;
        columns.push(Column { name, is_key });
    }
    // The stream names pg_catalog by an empty string.
    let schema = if schema.is_empty() {
        "pg_catalog".to_owned()
    } else {
        schema
    };
    Ok(Relation {
        oid,
        schema,
        name,
        columns,
    })
}

fn row(input: &mut Bytes) -> Result<Row, Unreadable> {
    let count = input.try_get_u16().map_err(|_| Unreadable)?;
    let mut cells = Vec::with_capacity(count.into());
    for _ in 0..count {
        cells.push(match byte(input)? {
            b'n' => Cell::Null,
            b'u' => Cell::Unchanged,
            b't' => {
                let length = input.try_get_u32().map_err(|_| Unreadable)? as usize;
                if input.len() < length {
                    return Err(Unreadable);
                }
                Cell::Text(String::from_utf8(input.split_to(length).into()).map_err(|_| Unreadable)?)
            }
            _ => return Err(Unreadable),
        });
    }
    Ok(cells)
}

fn byte(input: &mut Bytes) -> Result<u8, Unreadable> {
    input.try_get_u8().map_err(|_| Unreadable)
}

fn expect(input: &mut Bytes, allowed: &[u8]) -> Result<u8, Unreadable> {
    let found = byte(input)?;
    if allowed.contains(&found) {
        Ok(found)
    } else {
        Err(Unreadable)
    }
}

fn text(input: &mut Bytes) -> Result<String, Unreadable> {
    let end = input.iter().position(|b| *b == 0).ok_or(Unreadable)?;
    let bytes = input.split_to(end);
    input.advance(1);
    String::from_utf8(bytes.into()).map_err(|_| Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation_message() -> Vec<u8> {
        let mut message = vec![b'R'];
        message.extend(7u32.to_be_bytes());
        message.extend(b"public\0notes\0d");
        message.extend(2u16.to_be_bytes());
        for (key, name) in [(1u8, "id"), (0, "body")] {
            message.push(key);
            message.extend(name.as_bytes());
            message.push(0);
            message.extend(23u32.to_be_bytes());
            message.extend((-1i32).to_be_bytes());
        }
        message
    }

    fn row_bytes(cells: &[Option<&str>]) -> Vec<u8> {
        let mut bytes = (cells.len() as u16).to_be_bytes().to_vec();
        for cell in cells {
            match cell {
                None => bytes.push(b'n'),
                Some("<unchanged>") => bytes.push(b'u'),
                Some(text) => {
                    bytes.push(b't');
                    bytes.extend((text.len() as u32).to_be_bytes());
                    bytes.extend(text.as_bytes());
                }
            }
        }
        bytes
    }

    fn change_message(kind: u8, parts: &[(u8, &[Option<&str>])]) -> Bytes {
        let mut message = vec![kind];
        message.extend(7u32.to_be_bytes());
        for (tag, cells) in parts {
            message.push(*tag);
            message.extend(row_bytes(cells));
        }
        message.into()
    }

    fn decoder() -> Decoder {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.read(relation_message().into()), Ok(None));
        decoder
    }

    fn text(value: &str) -> Cell {
        Cell::Text(value.to_owned())
    }

    #[test]
    fn changes_are_read_against_their_relation() {
        let mut decoder = decoder();
        let insert = change_message(b'I', &[(b'N', &[Some("1"), Some("grüß")])]);
        let (relation, change) = decoder.read(insert).unwrap().unwrap();
        assert_eq!(
            (relation.schema.as_str(), relation.name.as_str()),
            ("public", "notes")
        );
        assert_eq!(
            relation.columns[0],
            Column {
                name: "id".into(),
                is_key: true
            }
        );
        assert_eq!(
            change,
            Change::Insert {
                new: vec![text("1"), text("grüß")]
            }
        );

        let update = change_message(b'U', &[(b'N', &[Some("1"), Some("<unchanged>")])]);
        let (_, change) = decoder.read(update).unwrap().unwrap();
        assert_eq!(
            change,
            Change::Update {
                old: None,
                new: vec![text("1"), Cell::Unchanged]
            }
        );

        let moved = change_message(
            b'U',
            &[(b'K', &[Some("1"), None]), (b'N', &[Some("2"), Some("b")])],
        );
        let (_, change) = decoder.read(moved).unwrap().unwrap();
        let old = Some(vec![text("1"), Cell::Null]);
        assert_eq!(
            change,
            Change::Update {
                old,
                new: vec![text("2"), text("b")]
            }
        );

        let delete = change_message(b'D', &[(b'K', &[Some("2"), None])]);
        let (_, change) = decoder.read(delete).unwrap().unwrap();
        assert_eq!(
            change,
            Change::Delete {
                old: vec![text("2"), Cell::Null]
            }
        );
    }

    #[test]
    fn every_cut_message_is_refused_and_none_panics() {
        let whole = [
            Bytes::from(relation_message()),
            change_message(b'I', &[(b'N', &[Some("1"), Some("b")])]),
            change_message(
                b'U',
                &[(b'K', &[Some("1"), None]), (b'N', &[Some("2"), Some("b")])],
            ),
            change_message(b'D', &[(b'O', &[Some("2"), None])]),
        ];
        for message in whole {
            for end in 0..message.len() {
                assert_eq!(
                    decoder().read(message.slice(..end)),
                    Err(Unreadable),
                    "cut at {end}"
                );
            }
        }
    }

    #[test]
    fn an_undescribed_relation_is_refused_and_other_messages_are_passed_over() {
        let insert = change_message(b'I', &[(b'N', &[Some("1")])]);
        assert_eq!(Decoder::default().read(insert), Err(Unreadable));
        assert_eq!(decoder().read(Bytes::from_static(b"T\0\0\0\x01")), Ok(None));
    }
}
