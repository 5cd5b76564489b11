//! [`Pump`]: from pages to what is sent. A page is made when the one before it is taken, so a client that does not read holds no more
//! than one; what keeps a processor busy is done where it holds nobody up.

use std::collections::VecDeque;
use std::io;

use axum::body::{Body, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::StreamBody;
use hyper::body::Frame;

use super::super::header_text;
use super::manifest::Record;
use super::source::{Page, Source};
use crate::export::{Encoder, Packer, Seal, Verdict};

const COUNT: HeaderName = HeaderName::from_static("locard-count");
const COMPLETE: HeaderName = HeaderName::from_static("locard-complete");
const INCOMPLETE: HeaderName = HeaderName::from_static("locard-incomplete-because");
const INEXACT: HeaderName = HeaderName::from_static("locard-inexact-because");
const SHA256: HeaderName = HeaderName::from_static("locard-sha256");

/// What comes behind the body, for a client that sends `TE: trailers`.
pub(super) const TRAILERS: [HeaderName; 5] = [COUNT, COMPLETE, INCOMPLETE, INEXACT, SHA256];

/// What bytes are made with.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) encoder: Encoder,
    pub(super) packer: Packer,
    pub(super) seal: Seal,
    /// How many bytes the client has already.
    pub(super) skip: u64,
}

impl Work {
    fn page(&mut self, page: &Page) -> io::Result<Vec<Bytes>> {
        self.seal.count += page.batch.len() as u64;
        if let Some(because) = &page.incomplete_because {
            self.seal.lacks(because);
        }
        if let Some(because) = &page.inexact_because {
            self.seal.estimates(because);
        }
        let pieces = self.encoder.encode(&page.batch)?;
        self.send(pieces)
    }

    fn send(&mut self, pieces: Vec<Bytes>) -> io::Result<Vec<Bytes>> {
        self.seal.take_in(&pieces);
        let mut pieces = pieces;
        for piece in &mut pieces {
            let known = piece.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
            drop(piece.split_to(known));
            self.skip -= known as u64;
        }
        self.packer.pack(pieces)
    }

    /// What is left to be said. A summary is about what comes before it, so it is told of before it is counted itself.
    fn end(mut self) -> io::Result<(Vec<Bytes>, Verdict)> {
        let before = self.seal.verdict();
        let last = self.encoder.finish(&before)?;
        let mut pieces = self.send(vec![last.into()])?;
        let verdict = if self.encoder.sums_up() { before } else { self.seal.verdict() };
        pieces.push(self.packer.finish()?);
        Ok((pieces, verdict))
    }
}

/// Where an export stands.
#[derive(Debug)]
enum Stage {
    First(Page),
    Reading,
    /// All is made but what comes behind the body.
    Ending(Verdict),
    Over,
}

/// An export on its way.
#[derive(Debug)]
pub(super) struct Pump {
    source: Source,
    work: Option<Work>,
    pending: VecDeque<Bytes>,
    stage: Stage,
    record: Record,
}

impl Pump {
    pub(super) fn new(source: Source, first: Page, work: Work, record: Record) -> Self {
        Self { source, work: Some(work), pending: VecDeque::new(), stage: Stage::First(first), record }
    }

    pub(super) fn into_body(self) -> Body {
        let frames = futures_util::stream::unfold(self, |mut pump| async {
            let frame = pump.frame().await?;
            Some((frame, pump))
        });
        Body::new(StreamBody::new(frames))
    }

    async fn frame(&mut self) -> Option<io::Result<Frame<Bytes>>> {
        loop {
            if let Some(piece) = self.pending.pop_front() {
                if piece.is_empty() {
                    continue;
                }
                return Some(Ok(Frame::data(piece)));
            }
            match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Over => return None,
                Stage::Ending(verdict) => {
                    self.record.ended(&verdict);
                    return Some(Ok(Frame::trailers(trailers(&verdict))));
                }
                stage => {
                    if let Err(error) = self.advance(stage).await {
                        tracing::warn!(%error, export = self.record.id(), "export.page broke off an export");
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    /// Makes the next pieces.
    async fn advance(&mut self, stage: Stage) -> io::Result<()> {
        let page = match stage {
            Stage::First(page) => Some(page),
            _ if self.source.more() => Some(self.source.next(false).await.map_err(io::Error::other)?),
            _ => None,
        };
        let Some(mut work) = self.work.take() else { return Err(io::Error::other("the export broke")) };
        let rest = self.source.rest();
        let Some(page) = page else {
            let (pieces, verdict) = blocking(move || {
                work.seal.cursor = rest;
                work.end()
            })
            .await??;
            self.pending.extend(pieces);
            self.stage = Stage::Ending(verdict);
            return Ok(());
        };
        let (work, pieces) = blocking(move || {
            let pieces = work.page(&page);
            (work, pieces)
        })
        .await?;
        self.record.reached(&work.seal, self.source.here());
        self.work = Some(work);
        self.pending.extend(pieces?);
        self.stage = Stage::Reading;
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}

fn trailers(verdict: &Verdict) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert(COUNT, HeaderValue::from(verdict.count));
    trailers
        .insert(COMPLETE, header_text(if verdict.incomplete_because.is_none() { "true" } else { "false" }));
    if let Some(because) = &verdict.incomplete_because {
        trailers.insert(INCOMPLETE, header_text(because));
    }
    if let Some(because) = &verdict.inexact_because {
        trailers.insert(INEXACT, header_text(because));
    }
    trailers.insert(SHA256, header_text(&verdict.sha256));
    trailers
}
