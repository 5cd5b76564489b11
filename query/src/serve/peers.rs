//! [`Peers`]: how many connections each other machine has, so that none takes them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections by address. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    peers: Peers,
    address: IpAddr,
}

impl Peers {
    /// Of this many connections, a quarter is for one address.
    pub(super) fn sharing(connections: usize) -> Self {
        Self { most: (connections / 4).max(1), open: Arc::default() }
    }

    /// A place, or nothing if the address has its share. This machine has no share: it can stop the server anyway.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= self.most && !address.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Place { peers: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_machine_has_more_than_its_share() {
        let peers = Peers::sharing(8);
        let [one, mapped, other] =
            ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"].map(|text| text.parse::<IpAddr>().unwrap());
        let first = peers.admit(one).unwrap();
        let second = peers.admit(mapped).unwrap();
        assert!(peers.admit(one).is_none() && peers.admit(mapped).is_none());
        assert!(peers.admit(other).is_some());
        drop(first);
        let third = peers.admit(one).unwrap();
        assert!(peers.admit(one).is_none());
        drop((second, third));
        assert!(peers.open.lock().unwrap().is_empty(), "addresses without connections are forgotten");
    }

    #[test]
    fn this_machine_may_have_all() {
        let peers = Peers::sharing(1);
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let places = [(); 3].map(|()| peers.admit(address.parse().unwrap()));
            assert!(places.iter().all(Option::is_some), "{address}");
        }
    }
}
