//! An organisation with people to measure with: contacts, tags, custom fields, consents and two years of messages.

pub mod api;
pub mod member;
pub mod rules;

use crate::organisation::Organisation;
use crate::stack::Stack;
use crate::wait::until;
use anyhow::Context;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_postgres::Client;
use uuid::Uuid;

/// The seeded organisation, its number's id included.
#[derive(Debug, Clone)]
pub struct Audience {
    pub organisation: Organisation,
    tags: BTreeMap<String, Uuid>,
    segments: BTreeMap<String, Uuid>,
}

impl Audience {
    /// Contacts without messages when `has_messages` is false. The queue of changes is empty and statistics are fresh afterwards;
    /// `has_worker` says whether the workers of the copy serve this database.
    pub async fn seed(
        database: &Client,
        agent_id: Uuid,
        phone_number_id: &str,
        contacts: i64,
        has_messages: bool,
        has_worker: bool,
    ) -> anyhow::Result<Self> {
        let organisation = Organisation::create(database, agent_id, phone_number_id, 80).await?;
        let fill = |statements: &str| {
            statements
                .replace(":org_id", &format!("'{}'::uuid", organisation.org_id))
                .replace(":account_id", &format!("'{}'::uuid", organisation.account_id))
                .replace(":count", &contacts.to_string())
        };
        // Who may do everything with contacts; the benches of the inbox have an agent.
        let promote = "update public.org_memberships set role = 'owner' where org_id = $1";
        database.execute(promote, &[&organisation.org_id]).await?;
        database
            .batch_execute(&fill(include_str!("../../sql/audience/people.sql")))
            .await
            .context("people.sql")?;
        if has_messages {
            database
                .batch_execute(&fill(include_str!("../../sql/audience/messages.sql")))
                .await
                .context("messages.sql")?;
        }
        database.batch_execute("drop table seeded").await?;
        settle(database, has_worker).await?;
        database.batch_execute("vacuum analyze").await?;
        let rows = database
            .query(
                "select name, id from public.tags where org_id = $1",
                &[&organisation.org_id],
            )
            .await?;
        let tags = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        Ok(Self {
            organisation,
            tags,
            segments: BTreeMap::new(),
        })
    }

    /// Later `{segment:NAME}` means this one.
    pub fn name_segment(&mut self, name: &str, id: Uuid) {
        self.segments.insert(name.to_owned(), id);
    }

    /// Tags and segments by name.
    pub fn tag(&self, name: &str) -> Option<Uuid> {
        self.tags.get(name).copied()
    }

    /// Text with the ids of this organisation for `{org}`, `{tag:NAME}` and `{segment:NAME}`.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = text.replace("{org}", &self.organisation.org_id.to_string());
        for (kind, ids) in [("tag", &self.tags), ("segment", &self.segments)] {
            for (name, id) in ids {
                filled = filled.replace(&format!("{{{kind}:{name}}}"), &id.to_string());
            }
        }
        filled
    }
}

/// Lets every change that waits be judged, by the workers or here.
pub async fn settle(database: &Client, has_worker: bool) -> anyhow::Result<()> {
    let queued = "select exists (select from private.contact_changes) or exists (select from private.segment_programs where rebuild is not null)";
    if !has_worker {
        let judge = "select more from worker.maintain_segments(50000)";
        while database.query_one(judge, &[]).await?.get(0) {}
    }
    until("every change is judged", Duration::from_secs(300), async || {
        database
            .query_one(queued, &[])
            .await
            .is_ok_and(|row| !row.get::<_, bool>(0))
    })
    .await
}

/// The database the workers of the copy serve.
pub async fn served_database(stack: &Stack) -> anyhow::Result<Client> {
    stack.database("postgres").await
}
