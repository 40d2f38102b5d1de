//! What befalls the store of a day: an older copy of it is brought back, it is lost, its bits flip.

use super::process::Sim;
use crate::engine::Recovered;
use crate::sandbox::rng::Rng;
use crate::store::sqlite::{Anchor, Sqlite};

/// Copies of the store that somebody made, the newest last; each stays as long as this does.
#[derive(Default)]
pub(super) struct Copies {
    made: Vec<(String, Anchor)>,
    /// Those that are in use, or were.
    used: Vec<Anchor>,
    count: usize,
}

impl Copies {
    fn name(&mut self, sim: &Sim<'_>) -> String {
        self.count += 1;
        format!("{}c{}", sim.name, self.count)
    }

    /// A person copies the store as it is now.
    pub(super) fn copy(&mut self, sim: &Sim<'_>) -> Result<(), String> {
        let name = self.name(sim);
        let copy = Sqlite::anchor(&sim.name).and_then(|store| store.copy(&name)).map_err(|fault| fault.to_string())?;
        self.made.push((name, copy));
        Ok(())
    }

    /// A person puts the newest copy in the place of the store, or nothing where there is none, and says that it shall be taken
    /// for the newest one.
    pub(super) fn bring_back(&mut self, sim: &mut Sim<'_>) -> Result<(), String> {
        let lost = sim.wear.lost();
        sim.recovered = Some(Recovered { sent: lost.sent, last: lost.last });
        let (name, anchor) = match self.made.pop() {
            Some(copy) => copy,
            None => {
                let name = self.name(sim);
                let anchor = Sqlite::anchor(&name).map_err(|fault| fault.to_string())?;
                (name, anchor)
            }
        };
        sim.name = name;
        self.used.push(anchor);
        Ok(())
    }
}

/// One bit of a row flips, as long as nobody looks; gives where.
pub(super) fn flip(sim: &Sim<'_>, number: u64) -> Result<String, String> {
    let mut dice = Rng::new(number);
    for _ in 0..20 {
        let flipped = Sqlite::anchor(&sim.name).and_then(|store| store.flip_bit(&mut || dice.roll())).map_err(|fault| fault.to_string())?;
        if let Some(told) = flipped {
            return Ok(told);
        }
    }
    Ok("nothing".to_owned())
}
