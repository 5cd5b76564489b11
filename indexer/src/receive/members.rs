//! [`Members`]: the names of members that the lines of one body have, each once, and what each of them means.
//!
//! Lines of one origin say the same members in the same order, so the member that followed last time is tried first and nothing is
//! hashed. Bounded: a line with a name too many is read without this.

use locard_event::{Name, name};
use locard_parse::flatten::is_ip_field;

use super::labels::covers;
use super::ndjson::{Names, RESERVED};

/// Most names in one body, and most in one object: they are looked for one after the other.
const MAX_MEMBERS: usize = 4096;
const MAX_CHILDREN: usize = 64;
/// Longest path.
const MAX_NAME_BYTES: usize = 512;
/// The number of the line's object itself.
pub(super) const LINE: Id = Id(0);

/// The number of a member in its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Id(pub(super) u32);

/// What is known of a member, whichever line it is in.
#[derive(Debug)]
pub(super) struct Member {
    key: Box<str>,
    parent: Id,
    /// Its dotted path.
    pub(super) name: Name,
    /// No key on the way to it has a dot.
    dotless: bool,
    /// Its place in the list of time members, of message members.
    pub(super) time: Option<usize>,
    pub(super) message: Option<usize>,
    /// It belongs to the stream.
    pub(super) label: bool,
    /// Such a name means something of Locard's own.
    pub(super) reserved: bool,
    /// Its texts may be addresses.
    pub(super) ip: bool,
    children: Vec<Id>,
    /// The member of the same object that came after this one last time; for an object's first, the object's own.
    next: Id,
    first: Id,
}

/// The members of one body.
#[derive(Debug)]
pub(super) struct Members<'a> {
    names: &'a Names<'a>,
    members: Vec<Member>,
}

impl<'a> Members<'a> {
    pub(super) fn new(names: &'a Names<'a>) -> Self {
        let line = Member {
            key: Box::default(),
            parent: LINE,
            name: Name::from(""),
            dotless: true,
            time: None,
            message: None,
            label: false,
            reserved: false,
            ip: false,
            children: Vec::new(),
            next: LINE,
            first: LINE,
        };
        Self { names, members: vec![line] }
    }

    /// Whether the member that means the time or the message stays a field.
    pub(super) fn keeps(&self, name: &str) -> bool {
        self.names.keeps(name)
    }

    pub(super) fn get(&self, id: Id) -> Option<&Member> {
        self.members.get(id.0 as usize)
    }

    /// The member `key` of the object `parent`, in which `before` came before it. `None` if there are too many, or it has a path
    /// that is not to be had in this way.
    pub(super) fn find(&mut self, parent: Id, before: Option<Id>, key: &str) -> Option<Id> {
        let expected = match before {
            Some(before) => self.get(before)?.next,
            None => self.get(parent)?.first,
        };
        if self.is(expected, parent, key) {
            return Some(expected);
        }
        let known = self.get(parent)?.children.iter().copied().find(|child| self.is(*child, parent, key));
        let found = match known {
            Some(found) => found,
            None => self.add(parent, key)?,
        };
        match before {
            Some(before) => self.members.get_mut(before.0 as usize)?.next = found,
            None => self.members.get_mut(parent.0 as usize)?.first = found,
        }
        Some(found)
    }

    fn is(&self, id: Id, parent: Id, key: &str) -> bool {
        id != LINE && self.get(id).is_some_and(|member| member.parent == parent && *member.key == *key)
    }

    fn add(&mut self, parent: Id, key: &str) -> Option<Id> {
        let above = self.get(parent)?;
        let path = if parent == LINE { key.to_owned() } else { format!("{}.{key}", above.name) };
        let too_many = self.members.len() >= MAX_MEMBERS || above.children.len() >= MAX_CHILDREN;
        // An empty key leaves no trace in the path.
        if too_many || path.len() > MAX_NAME_BYTES || key.is_empty() {
            return None;
        }
        // A list of members may name one by its dotted path: what is between the dots are objects, the last key may have dots itself.
        let dotless = above.dotless && (parent == LINE || !above.key.contains('.'));
        let place = |names: &[String]| names.iter().position(|name| dotless && *name == path);
        let member = Member {
            key: key.into(),
            parent,
            dotless,
            time: place(self.names.time_fields),
            message: place(self.names.message_fields),
            // A document's own goes aside, in the slow way.
            label: covers(self.names.stream_fields, &path)
                && !(self.names.of_documents && path == name::DATASET),
            reserved: RESERVED.contains(&path.as_str()) || path == name::DATASET,
            ip: is_ip_field(&path),
            name: path.into(),
            children: Vec::new(),
            next: LINE,
            first: LINE,
        };
        let id = Id(u32::try_from(self.members.len()).ok()?);
        self.members.push(member);
        self.members.get_mut(parent.0 as usize)?.children.push(id);
        Some(id)
    }
}
