//! `locard serve` and `locard up`.

use std::io::{self, Write};
use std::sync::Arc;

use locard_indexer::Indexer;
use prometheus_client::registry::Registry;
use tokio::signal::unix::{SignalKind, signal};

use super::args::{Role, ServeArgs, UpArgs};
use super::collect::{Collecting, Working};
use super::{Error, Outcome, client, config, log};
use crate::config::Settings;
use crate::demo::Played;
use crate::serve::{Running, Server};

pub(super) async fn serve(args: ServeArgs) -> Result<Outcome, Error> {
    if args.role != Role::All {
        return Err(Error::Unsupported(
            "only --role all exists: index and query nodes come with scale-out, which will define what they say to each other",
        ));
    }
    let settings = prepare(config::load(&args.config)?.1);
    let stopped = stop_signal()?;
    tokio::pin!(stopped);
    let server = Server::bind(settings).await?;
    let url = server.url();
    let Some(running) = start(server, |_| {}, &mut stopped).await? else { return Ok(Outcome::Found) };
    announce(&url)?;
    stopped.await;
    stop(running).await;
    Ok(Outcome::Found)
}

pub(super) async fn up(args: UpArgs) -> Result<Outcome, Error> {
    let settings = prepare(config::load(&args.config)?.1);
    let stopped = stop_signal()?;
    tokio::pin!(stopped);
    let mut server = Server::bind(settings.clone()).await?;
    let collecting = Collecting::prepare(&mut server, &settings).await?;
    let url = server.url();
    let register = |registry: &mut Registry| {
        collecting.iter().for_each(|collecting| collecting.register(registry));
    };
    let Some(running) = start(server, register, &mut stopped).await? else { return Ok(Outcome::Found) };
    announce(&url)?;
    if args.demo {
        play_demo(&running.indexer, &url).await?;
    }
    let working = collecting.map(begin).transpose()?;
    stopped.await;
    if let Some(working) = working {
        working.stop().await;
    }
    stop(running).await;
    Ok(Outcome::Found)
}

fn begin(collecting: Collecting) -> Result<Working, Error> {
    tell(&format!("Collecting {}", collecting.describe()))?;
    collecting.begin()
}

fn prepare(settings: Settings) -> Settings {
    log::start(&settings.log);
    client::install_provider();
    settings
}

/// Nothing: it was told to stop before it was ready.
async fn start(
    server: Server,
    register: impl FnOnce(&mut Registry),
    stopped: &mut (impl Future<Output = ()> + Unpin),
) -> Result<Option<Running>, Error> {
    tokio::select! {
        running = server.start(register) => {
            let running = running?;
            tracing::info!("ready");
            Ok(Some(running))
        }
        () = stopped => Ok(None),
    }
}

async fn stop(running: Running) {
    tracing::info!("stopping");
    running.stop().await;
}

async fn play_demo(indexer: &Arc<Indexer>, url: &str) -> Result<(), Error> {
    let played = crate::demo::play(indexer, crate::now()).await.map_err(crate::serve::Error::from)?;
    tell(&demo_text(played, url))?;
    Ok(())
}

fn demo_text(played: Played, url: &str) -> String {
    let Played { events, repeated, until } = played;
    if !repeated {
        return format!(
            "Demo: an incident of {events} events in the last hour; docs/demo.md tells what to look for"
        );
    }
    // Half-open: the last event is in.
    let (from, to) = (played.from(), until.plus_nanos(1_000_000));
    format!(
        "Demo: the incident of {events} events was played before and is not added again within a day; it ends at {until}:\n  \
         {url}/?start={from}&end={to}"
    )
}

/// Only once the data are open: who reads this may search.
fn announce(url: &str) -> io::Result<()> {
    tell(&format!("Locard listens on {url}"))
}

fn tell(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Ends at SIGTERM or SIGINT.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use locard_event::Timestamp;

    use super::*;

    #[test]
    fn a_demo_that_was_played_before_is_where_it_was() {
        let until = Timestamp::parse("2026-11-24T08:00:00Z").unwrap();
        let played = Played { events: 4_000, repeated: false, until };
        assert!(demo_text(played, "http://x").contains("4000 events in the last hour"));
        let text = demo_text(Played { repeated: true, ..played }, "http://x");
        let url = "http://x/?start=2026-11-24T07:00:00.000Z&end=2026-11-24T08:00:00.001Z";
        assert!(text.ends_with(url) && !text.contains("last hour"), "{text}");
    }
}
