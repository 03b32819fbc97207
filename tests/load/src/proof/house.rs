//! A database of its own with one organisation of the generator's world in it.

use crate::audience::member::Member;
use crate::organisation::Organisation;
use crate::stack::{connect, with_database};
use anyhow::{Context as _, ensure};
use octopush_rules::segment::context::Context;
use octopush_rules::segment::evaluate::moment::Moment;
use octopush_rules::segment::generate::{Generator, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio_postgres::Client;
use tokio_postgres::types::Json;
use uuid::Uuid;

const MAINTAIN: &str = "select more or handled > 0 from worker.maintain_segments(1000)";
const SETTLED: &str = "select not exists (select from private.contact_changes) \
    and not exists (select from private.segment_programs where rebuild is not null)";

/// Where databases are made: `scripts/test` and `octopush-local test-env` say.
pub struct Server {
    url: String,
    template: String,
}

impl Server {
    pub fn from_environment() -> anyhow::Result<Self> {
        let get = |name: &str| {
            std::env::var(name).with_context(|| {
                format!("{name} is not set: eval \"$(target/release/octopush-local test-env)\"")
            })
        };
        Ok(Self {
            url: get("OCTOPUSH_TEST_DATABASE_URL")?,
            template: get("OCTOPUSH_TEST_TEMPLATE")?,
        })
    }
}

impl Server {
    /// Takes away what this process' proof of a seed left behind when it failed.
    pub async fn clear(&self, seed: u64) -> anyhow::Result<()> {
        let drop = format!("drop database if exists {} with (force)", name_of(seed));
        connect(&self.url).await?.batch_execute(&drop).await?;
        Ok(())
    }
}

fn name_of(seed: u64) -> String {
    format!("proof_{}_{seed}", std::process::id())
}

/// The organisation and everything that asks and changes it.
pub struct House {
    name: String,
    server_url: String,
    pub database: Client,
    pub member: Member,
    pub organisation: Organisation,
    pub generator: Generator,
    pub world: World,
}

impl House {
    /// A world of this seed without people.
    pub async fn build(server: &Server, seed: u64) -> anyhow::Result<Self> {
        let name = name_of(seed);
        server.clear(seed).await?;
        let admin = connect(&server.url).await?;
        admin
            .batch_execute(&format!("create database {name} template {}", server.template))
            .await?;
        let url = with_database(&server.url, &name);
        let database = connect(&url).await?;
        database
            .batch_execute(include_str!("../../sql/proof/prepare.sql"))
            .await?;
        let person = Uuid::now_v7();
        let organisation = Organisation::create(&database, person, "100000000000041", 80).await?;
        database
            .execute(
                "update public.org_memberships set role = 'owner' where org_id = $1",
                &[&organisation.org_id],
            )
            .await?;
        let mut generator = Generator::seeded(seed);
        let mut world = generator.world();
        // The database keeps hostile keys out; the library's own tests have them.
        world
            .context
            .custom_fields
            .retain(|field| field.key.chars().all(|c| c.is_ascii_lowercase()));
        let house = Self {
            name,
            server_url: server.url.clone(),
            member: Member::connect(&url, person).await?,
            database,
            organisation,
            generator,
            world,
        };
        let org_id = house.organisation.org_id;
        let fields = house.world.context_json()["custom_fields"].take();
        house
            .database
            .execute(
                include_str!("../../sql/proof/world.sql"),
                &[
                    &org_id,
                    &house.world.tags,
                    &Json(fields),
                    &house.world.context.time_zone,
                ],
            )
            .await?;
        let now = house.world.context.now.clone().context("a world has a moment")?;
        house.set_clock(&now).await?;
        Ok(house)
    }

    /// Takes the database away; one that failed is left for whoever looks into it.
    pub async fn demolish(self) -> anyhow::Result<()> {
        let drop = format!("drop database {} with (force)", self.name);
        connect(&self.server_url).await?.batch_execute(&drop).await?;
        Ok(())
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub async fn set_clock(&self, now: &str) -> anyhow::Result<()> {
        self.database
            .execute(
                "update private.proof_clock set now = $1::text::timestamptz",
                &[&now],
            )
            .await?;
        Ok(())
    }

    /// More people, and with the first of them the world's lists.
    pub async fn people(&mut self, count: usize) -> anyhow::Result<()> {
        let mut phones = BTreeSet::new();
        let mut people = Vec::new();
        for _ in 0..count {
            let mut facts = self.generator.facts(&self.world);
            if !phones.insert(facts["contact"]["phone"].to_string()) {
                facts["contact"]["phone"] = Value::Null;
            }
            people.push(json!({ "id": Uuid::now_v7(), "facts": facts }));
        }
        let (org_id, account_id) = (self.organisation.org_id, self.organisation.account_id);
        let people = Json(people);
        self.database
            .execute(
                include_str!("../../sql/proof/people.sql"),
                &[&org_id, &account_id, &people],
            )
            .await
            .context("people.sql")?;
        self.database
            .execute(
                include_str!("../../sql/proof/lists.sql"),
                &[&org_id, &self.world.segments, &people],
            )
            .await
            .context("lists.sql")?;
        for list in &self.world.segments {
            let rebuild = "select private.rebuild_segment($1, private.clock())";
            self.database.execute(rebuild, &[list]).await?;
        }
        self.maintain().await
    }

    /// A dynamic segment of random rules; later rules may name it when `is_named`. The name is returned with the id.
    pub async fn segment(&mut self, name: &str, is_named: bool) -> anyhow::Result<Uuid> {
        let rules = self.generator.rules(&self.world);
        let (row, _) = self
            .member
            .ask(
                "select to_jsonb(s) from public.create_segment($1, $2, 'dynamic', $3) s",
                &[&self.organisation.org_id, &name, &Json(&rules)],
            )
            .await
            .with_context(|| format!("create_segment {rules}"))?;
        let id = row["id"].as_str().context("a segment has an id")?.parse()?;
        if is_named {
            self.world.segments.push(id);
        }
        Ok(id)
    }

    /// What the workers' role does, until nothing is left. An empty answer is no end: a refused call holds the segment lock a moment
    /// longer than its caller waits.
    pub async fn maintain(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let row = self
                .database
                .query_one(MAINTAIN, &[])
                .await
                .context("maintain_segments")?;
            if !row.get::<_, bool>(0) && self.database.query_one(SETTLED, &[]).await?.get(0) {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "changes of {} wait for a minute",
                self.name
            );
        }
    }

    /// What the library is told of the organisation now.
    pub async fn context(&self) -> anyhow::Result<(Context, Moment)> {
        let row = self
            .database
            .query_one(
                "select private.segment_context_with_names($1)",
                &[&self.organisation.org_id],
            )
            .await?;
        let Json(context): Json<Value> = row.get(0);
        let context = Context::parse(&context).map_err(anyhow::Error::msg)?;
        let moment = Moment::of(&context).map_err(anyhow::Error::msg)?;
        Ok((context, moment))
    }
}
