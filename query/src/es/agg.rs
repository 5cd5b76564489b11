//! Aggregations: refused until they are here.

use std::sync::Arc;

use locard_event::Timestamp;
use locard_indexer::View;
use serde_json::Value as Json;

use super::Es;
use super::error::Error;
use crate::search::{Coverage, Run, Wanted};

/// The aggregations of a request.
#[derive(Debug)]
pub(super) enum Tree {}

impl Tree {
    pub(super) fn read(_body: &Json, _now: Timestamp) -> Result<Self, Error> {
        Err(Error::unsupported("aggregations"))
    }

    pub(super) async fn run(
        &self,
        _run: &mut Run,
        _es: &Es,
        _view: &View,
        _wanted: Arc<Wanted>,
    ) -> Result<(Json, Coverage), Error> {
        match *self {}
    }
}
