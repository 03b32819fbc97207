//! What requests are answered from between two readings of the schema.

use std::sync::Arc;

use axum::http::{Method, Uri};
use postrust_core::SchemaCache;
use postrust_core::api_request::QualifiedIdentifier;
use postrust_core::schema_cache::FuncVolatility;
use postrust_server::AppState;
use url::form_urlencoded;

/// One reading of the schema, over two pools.
pub struct Serving {
    schema_name: String,
    schema: SchemaCache,
    any: Arc<AppState>,
    reading: Arc<AppState>,
}

impl Serving {
    /// `reading` is over a pool whose transactions are read-only.
    pub fn new(schema_name: &str, schema: SchemaCache, any: AppState, reading: AppState) -> Self {
        Self {
            schema_name: schema_name.to_owned(),
            schema,
            any: Arc::new(any),
            reading: Arc::new(reading),
        }
    }

    /// PostgREST lets a function that calls itself STABLE or IMMUTABLE write nothing, by POST either; `postrust-server`
    /// goes by the method alone.
    pub fn for_request(&self, method: &Method, uri: &Uri) -> Arc<AppState> {
        let is_reading = *method == Method::POST
            && uri
                .path()
                .strip_prefix("/rpc/")
                .is_some_and(|name| self.only_reads(name));
        if is_reading {
            self.reading.clone()
        } else {
            self.any.clone()
        }
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
