//! What requests are answered from between two readings of the schema.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{Method, Uri};
use postrust_core::api_request::QualifiedIdentifier;
use postrust_core::schema_cache::FuncVolatility;
use postrust_core::{AppConfig, SchemaCache};
use postrust_server::AppState;
use url::form_urlencoded;

use super::nulls::NullArguments;

/// Variants of the schema for calls with nulls that are kept: a product has a few dozen such calls.
const MOST_VARIANTS: usize = 100;

/// One reading of the schema, over two pools.
pub struct Serving {
    schema_name: String,
    schema: SchemaCache,
    config: AppConfig,
    any: Arc<AppState>,
    reading: Arc<AppState>,
    variants: Mutex<HashMap<NullArguments, Arc<AppState>>>,
}

impl Serving {
    /// `reading` is over a pool whose transactions are read-only.
    pub fn new(
        schema_name: &str,
        schema: SchemaCache,
        config: AppConfig,
        any: AppState,
        reading: AppState,
    ) -> Self {
        Self {
            schema_name: schema_name.to_owned(),
            schema,
            config,
            any: Arc::new(any),
            reading: Arc::new(reading),
            variants: Mutex::default(),
        }
    }

    /// PostgREST lets a function that calls itself STABLE or IMMUTABLE write nothing, by POST either; `postrust-server`
    /// goes by the method alone.
    pub fn for_request(&self, method: &Method, uri: &Uri, nulls: Option<NullArguments>) -> Arc<AppState> {
        let is_reading = *method == Method::POST
            && uri
                .path()
                .strip_prefix("/rpc/")
                .is_some_and(|name| self.only_reads(name));
        let state = if is_reading { &self.reading } else { &self.any };
        nulls
            .and_then(|nulls| self.variant(nulls, state))
            .unwrap_or_else(|| state.clone())
    }

    /// Whether a function has all these arguments.
    pub fn takes(&self, nulls: &NullArguments) -> bool {
        self.schema
            .get_routines(&QualifiedIdentifier::new(&self.schema_name, &nulls.function))
            .is_some_and(|overloads| overloads.iter().any(|routine| nulls.are_taken_by(routine)))
    }

    fn variant(&self, nulls: NullArguments, like: &AppState) -> Option<Arc<AppState>> {
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(variant) = variants.get(&nulls) {
            return Some(variant.clone());
        }
        let mut schema = self.schema.clone();
        let function = QualifiedIdentifier::new(&self.schema_name, &nulls.function);
        for routine in schema.routines.get_mut(&function)? {
            if nulls.are_taken_by(routine) {
                nulls.carry_in(routine);
            }
        }
        let variant = Arc::new(AppState::new(like.pool.clone(), schema, self.config.clone()).ok()?);
        // Names come from requests: whoever makes up many must not fill the memory.
        if variants.len() >= MOST_VARIANTS {
            variants.clear();
        }
        variants.insert(nulls, variant.clone());
        Some(variant)
    }

    fn only_reads(&self, encoded_name: &str) -> bool {
        // As the only key of a query it is decoded as a path's segment is.
        let query = encoded_name.trim_end_matches('/').replace('+', "%2B");
        let Some((name, _)) = form_urlencoded::parse(query.as_bytes()).next() else {
            return false;
        };
        let routines = self
            .schema
            .get_routines(&QualifiedIdentifier::new(&self.schema_name, &*name));
        routines.is_some_and(|overloads| {
            overloads
                .iter()
                .all(|routine| routine.volatility != FuncVolatility::Volatile)
        })
    }

    /// Waits for the requests that still run, then closes the connections.
    pub async fn close(&self) {
        tokio::join!(self.any.pool.close(), self.reading.pool.close());
    }
}
