//! [`Origin`]: the labels of a file's events.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use locard_event::{Stream, name};

use super::dataset;
use crate::cli::args::IngestArgs;

/// What is known of a file besides its lines.
#[derive(Clone, Default)]
pub(super) struct Origin {
    /// Labels that the command line gave; they win.
    given: Vec<(String, String)>,
    path: Option<String>,
    pod: Vec<(&'static str, String)>,
    streams: HashMap<Vec<(String, String)>, Arc<Stream>>,
}

impl Origin {
    pub(super) fn new(args: &IngestArgs, path: &Path) -> Self {
        let mut given = args.label.clone();
        given.extend(args.host.clone().map(|host| (name::HOST.to_owned(), host)));
        given.extend(args.dataset.clone().map(|dataset| (name::DATASET.to_owned(), dataset)));
        let path = (path != Path::new("-")).then(|| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
        Self {
            given,
            pod: path.as_deref().map(pod_labels).unwrap_or_default(),
            path: path.map(|path| path.to_string_lossy().into_owned()),
            streams: HashMap::new(),
        }
    }

    /// What the file's name says that its lines are, where they have no envelope.
    pub(super) fn dataset(&self, begin: &[u8]) -> &'static str {
        self.path.as_deref().map_or("file", |path| dataset::guess(Path::new(path), begin))
    }

    #[cfg(test)]
    pub(super) fn test() -> Self {
        Self::default()
    }

    /// The stream of a line with these labels of its own. `dataset` is what the format says.
    pub(super) fn stream(&mut self, dataset: &str, own: &[(&str, &str)]) -> Arc<Stream> {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut labels = vec![(name::DATASET.to_owned(), dataset.to_owned())];
        labels.extend(self.path.clone().map(|path| (name::FILE_PATH.to_owned(), path)));
        labels.extend(self.pod.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        labels.extend(own.iter().map(pair));
        labels.extend(self.given.iter().cloned());
        let stream =
            self.streams.entry(labels).or_insert_with_key(|labels| Arc::new(Stream::new(labels.clone())));
        Arc::clone(stream)
    }
}

/// Labels from a path that ends as the kubelet lays files out: `<namespace>_<pod>_<uid>/<container>/<n>.log…`.
fn pod_labels(path: &Path) -> Vec<(&'static str, String)> {
    let mut parts = path.iter().rev().filter_map(|part| part.to_str());
    let (Some(file), Some(container), Some(pod)) = (parts.next(), parts.next(), parts.next()) else {
        return Vec::new();
    };
    let numbered =
        file.split_once(".log").is_some_and(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let pod: Vec<&str> = pod.split('_').collect();
    match pod.as_slice() {
        [namespace, pod, uid] if numbered => vec![
            (name::NAMESPACE, (*namespace).to_owned()),
            (name::POD_NAME, (*pod).to_owned()),
            (name::POD_UID, (*uid).to_owned()),
            (name::CONTAINER_NAME, container.to_owned()),
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubelet_path_names_its_pod() {
        let labels = pod_labels(Path::new("/evidence/var/log/pods/shop_cart-1_uid-9/app/0.log.20261124.gz"));
        let values: Vec<_> = labels.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["shop", "cart-1", "uid-9", "app"]);
        for path in ["/var/log/auth.log", "/a_b_c/d/e.log", "/a_b/c/0.log", "0.log"] {
            assert_eq!(pod_labels(Path::new(path)), [], "{path}");
        }
    }
}
