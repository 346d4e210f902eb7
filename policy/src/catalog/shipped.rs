//! Catalogues: the one that is shipped, and what a policy makes of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use super::blob::{self, Chunk, Index, Origin};
use super::model::{CommandInfo, Edition};
use crate::fold::fold;

/// The shipped catalogue in its compact form. `data/README.md` says where it comes from.
static BLOB: &[u8] = include_bytes!("data/shipped.bin");

static SHIPPED: LazyLock<Catalog> = LazyLock::new(|| Catalog {
    shipped: Some(Arc::new(Store::open(Cow::Borrowed(BLOB)).unwrap_or_default())),
    own: BTreeMap::new(),
});

/// To be shown wherever the shipped catalogue is: what its licence asks for.
pub const CREDIT: &str = "Facts from Microsoft's PowerShell reference documentation, CC BY 4.0, changed: extracted \
                          and cross-checked";

/// Modules whose documentation repeats commands of another module, which then counts.
const REPEATING: [&str; 1] = ["Microsoft.Windows.ServerManager.Migration"];

/// The commands that a policy can speak of.
#[derive(Clone, Default)]
pub struct Catalog {
    shipped: Option<Arc<Store>>,
    /// By folded name.
    own: BTreeMap<String, BySlot<Arc<CommandInfo>>>,
}

/// Whether a policy's own commands come on top of the shipped ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CatalogMode {
    /// They do, and win over shipped ones of the same name.
    #[default]
    Extend,
    /// They stand alone.
    Replace,
}

/// Where a definition in a catalogue comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The shipped catalogue.
    Shipped(Origin),
    /// The policy.
    Policy,
}

impl Catalog {
    /// The shipped catalogue. Opening it reads the names; what commands accept is read module by module when asked
    /// for. Should it be damaged, it knows no command, and a policy that restricts one is refused.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// A policy's catalogue: its own commands, with the editions that have them, and the shipped ones unless they are
    /// replaced. Of two own ones with the same name and edition the later one counts.
    #[must_use]
    pub fn build(mode: CatalogMode, own: Vec<(Vec<Edition>, CommandInfo)>) -> Self {
        let mut catalog = match mode {
            CatalogMode::Extend => Self::shipped().clone(),
            CatalogMode::Replace => Self::default(),
        };
        for (editions, info) in own {
            let slots = catalog.own.entry(fold(&info.name)).or_default();
            let info = Arc::new(info);
            for edition in editions {
                *slots.of_mut(edition) = Some(Arc::clone(&info));
            }
        }
        catalog
    }

    /// A catalogue from its compact form; `None` when that is damaged. A module that is damaged inside has the names
    /// of its commands, and [`Catalog::lookup`] finds none of them.
    #[must_use]
    pub fn from_blob(blob: Vec<u8>) -> Option<Self> {
        Some(Self { shipped: Some(Arc::new(Store::open(Cow::Owned(blob))?)), own: BTreeMap::new() })
    }

    /// What a command accepts, by its whole name without a module, whatever the case (R3).
    #[must_use]
    pub fn lookup(&self, edition: Edition, name: &str) -> Option<Arc<CommandInfo>> {
        let folded = fold(name);
        if let Some(info) = self.own_command(edition, &folded) {
            return Some(Arc::clone(info));
        }
        self.shipped.as_ref()?.command(edition, &folded)
    }

    /// Where the definition of a command comes from.
    #[must_use]
    pub fn source(&self, edition: Edition, name: &str) -> Option<Source> {
        let folded = fold(name);
        if self.own_command(edition, &folded).is_some() {
            return Some(Source::Policy);
        }
        let store = self.shipped.as_ref()?;
        Some(Source::Shipped(store.entry(store.named(&folded)?.of(edition)?)?.1))
    }

    /// Name and module of every command that this edition has, each once.
    pub fn names(&self, edition: Edition) -> impl Iterator<Item = (&str, &str)> {
        let own = self.own.values().filter_map(move |slots| slots.of(edition));
        let own = own.map(|info| (info.name.as_str(), info.module.as_str()));
        let shipped = self.shipped.iter().flat_map(move |store| store.names(edition, &self.own));
        own.chain(shipped)
    }

    /// Every definition of the shipped part, also those that another one hides, in the order of the compact form.
    /// For checks of the catalogue itself; a module that cannot be read is left out.
    #[must_use]
    pub fn definitions(&self) -> Vec<(Origin, Arc<CommandInfo>)> {
        let store = self.shipped.as_deref();
        let modules = store.iter().flat_map(|store| {
            let numbers = 0..store.index.modules.len();
            numbers.filter_map(|number| Some((store.index.modules.get(number)?, store.chunk(number)?)))
        });
        modules
            .flat_map(|(module, chunk)| {
                module.commands.iter().zip(chunk).map(|((_, origin), info)| (*origin, Arc::clone(info)))
            })
            .collect()
    }

    fn own_command(&self, edition: Edition, folded: &str) -> Option<&Arc<CommandInfo>> {
        self.own.get(folded)?.of(edition)
    }
}

/// Thousands of commands are no help to who reads it.
impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shipped = self.shipped.as_ref().map_or(0, |store| store.names.len());
        write!(f, "Catalog({} own and {shipped} shipped names)", self.own.len())
    }
}

/// Something for each edition.
#[derive(Debug, Clone)]
struct BySlot<T> {
    windows51: Option<T>,
    core7: Option<T>,
}

impl<T> Default for BySlot<T> {
    fn default() -> Self {
        Self { windows51: None, core7: None }
    }
}

impl<T> BySlot<T> {
    fn of(&self, edition: Edition) -> Option<&T> {
        match edition {
            Edition::Windows51 => self.windows51.as_ref(),
            Edition::Core7 => self.core7.as_ref(),
        }
    }

    fn of_mut(&mut self, edition: Edition) -> &mut Option<T> {
        match edition {
            Edition::Windows51 => &mut self.windows51,
            Edition::Core7 => &mut self.core7,
        }
    }
}

/// A compact catalogue, opened.
#[derive(Default)]
struct Store {
    blob: Cow<'static, [u8]>,
    index: Index,
    /// By folded name, sorted.
    names: Vec<(String, BySlot<Place>)>,
    /// For each module, once it was asked for; `None` inside when it is damaged.
    chunks: Vec<OnceLock<Option<Chunk>>>,
}

/// Where a definition stands: number of its module, and number in it.
#[derive(Debug, Clone, Copy)]
struct Place {
    module: usize,
    command: usize,
}

impl Store {
    fn open(blob: Cow<'static, [u8]>) -> Option<Self> {
        let index = blob::index(&blob)?;
        let names = names(&index);
        let chunks = index.modules.iter().map(|_| OnceLock::new()).collect();
        Some(Self { blob, index, names, chunks })
    }

    fn named(&self, folded: &str) -> Option<&BySlot<Place>> {
        let found = self.names.binary_search_by(|(name, _)| name.as_str().cmp(folded)).ok()?;
        self.names.get(found).map(|(_, slots)| slots)
    }

    /// The name and origin of a command, with its module's name.
    fn entry(&self, place: &Place) -> Option<(&str, Origin, &str)> {
        let module = self.index.modules.get(place.module)?;
        let (name, origin) = module.commands.get(place.command)?;
        Some((name, *origin, &module.name))
    }

    fn chunk(&self, module: usize) -> Option<&Chunk> {
        let read = || blob::chunk(&self.blob, self.index.modules.get(module)?);
        self.chunks.get(module)?.get_or_init(read).as_ref()
    }

    fn command(&self, edition: Edition, folded: &str) -> Option<Arc<CommandInfo>> {
        let place = self.named(folded)?.of(edition)?;
        self.chunk(place.module)?.get(place.command).map(Arc::clone)
    }

    fn names<'a>(
        &'a self,
        edition: Edition,
        own: &'a BTreeMap<String, BySlot<Arc<CommandInfo>>>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let hidden = move |folded: &str| own.get(folded).is_some_and(|slots| slots.of(edition).is_some());
        let shown = self.names.iter().filter(move |(folded, _)| !hidden(folded));
        shown.filter_map(move |(_, slots)| self.entry(slots.of(edition)?).map(|(name, _, module)| (name, module)))
    }
}

/// Who has a name. An edition's own command comes before one of a module of Windows Server, a module that is
/// documented once before one that repeats another, and otherwise the first module by name.
fn names(index: &Index) -> Vec<(String, BySlot<Place>)> {
    let mut ranked = Vec::new();
    for (number, module) in index.modules.iter().enumerate() {
        let repeating = REPEATING.contains(&module.name.as_str());
        for (command, (name, origin)) in module.commands.iter().enumerate() {
            let rank: u8 = match origin {
                Origin::Windows51 | Origin::Core7 | Origin::Both => 0,
                Origin::WindowsServer if repeating => 2,
                Origin::WindowsServer => 1,
            };
            ranked.push((fold(name), rank, Place { module: number, command }, *origin));
        }
    }
    // Stable, so that what ranks the same stays in the order of the modules.
    ranked.sort_by(|(a, first, ..), (b, second, ..)| (a, first).cmp(&(b, second)));
    let mut names: Vec<(String, BySlot<Place>)> = Vec::new();
    for (name, _, place, origin) in ranked {
        if names.last().is_none_or(|(last, _)| *last != name) {
            names.push((name, BySlot::default()));
        }
        let Some((_, slots)) = names.last_mut() else { continue };
        for edition in origin.editions() {
            slots.of_mut(*edition).get_or_insert(place);
        }
    }
    names
}
