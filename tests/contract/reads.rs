//! Reading: no page loses a record, whatever happens between pages.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::systems::Subject;
use super::world::{Setup, World, is_sign_in};

fn page_of(world: &World) -> usize {
    let of = crossdock::value::ObjectRef::new("c", world.subject.reads.object);
    world.connector.read_cost(&crossdock::connector::Selection { object: &of, ..world.subject.selection() }).page
}

async fn names(world: &World, at: &mut Option<String>, between: impl FnMut(usize)) -> Vec<String> {
    let stream = world.streams().remove(0);
    world.poll(&stream, at, between).await.unwrap().into_iter().map(|change| change.id).collect()
}

pub async fn nothing_is_read_where_there_is_nothing(subject: &'static Subject) {
    let world = World::new(subject, Setup::default());
    let mut at = None;
    assert!(names(&world, &mut at, |_| {}).await.is_empty());
    // What comes after is read from there.
    world.wait(1);
    let id = (subject.reads.make)(&world, 1);
    world.wait(1);
    assert_eq!(names(&world, &mut at, |_| {}).await, [id]);
}

/// One record, a page less one, exactly a page, one more, at one stamp and at several.
pub async fn pages_hold_each_record(subject: &'static Subject) {
    let page = page_of(&World::new(subject, Setup::default()));
    for (count, apart) in [(1, 0), (page - 1, 0), (page, 0), (page + 1, 0), (page, 1), (page + 1, 1), (2 * page + 1, 0)] {
        let world = World::new(subject, Setup::default());
        world.wait(1);
        let mut made = BTreeSet::new();
        for n in 0..count {
            made.insert((subject.reads.make)(&world, n));
            world.clock.advance(SignedDuration::from_millis(apart * 700));
        }
        world.wait(2);
        let mut at = None;
        let seen = names(&world, &mut at, |_| {}).await;
        let all: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(all, made, "{}: {count} records, {apart}", subject.name);
        // Some may come twice: at the end of a page, within the overlap. Not many.
        assert!(seen.len() <= count + 3 * (count / page + 2) || apart == 0, "{}: {} for {count}", subject.name, seen.len());
    }
}

/// While pages are read, people change what was read and what was not, make new records and remove others: of records that were made just
/// before, and of some that no overlap of a later poll reaches.
pub async fn what_changes_between_pages_is_read(subject: &'static Subject) {
    for age in [1, 7200] {
        changed_between_pages(subject, age).await;
    }
}

async fn changed_between_pages(subject: &'static Subject, age: i64) {
    let world = World::new(subject, Setup::default());
    world.wait(1);
    let page = page_of(&world);
    let count = 2 * page + page / 2;
    let made: Vec<String> = (0..count)
        .map(|n| {
            // A third of them in one second.
            if n % 3 == 0 {
                world.clock.advance(SignedDuration::from_millis(400));
            }
            (subject.reads.make)(&world, n)
        })
        .collect();
    let gone = [made[3].clone(), made[page - 1].clone(), made[page + 7].clone(), made[count - 2].clone()];
    let mut is: BTreeMap<String, String> = BTreeMap::new();
    let (mut at, mut told) = (None, BTreeMap::new());
    world.wait(age);
    let stream = world.streams().remove(0);
    let mut meanwhile = |done: usize| {
        world.wait(2);
        // The first of the first page, the one beside its end, one that is not read yet, the last.
        for (place, id) in [0, page - 2, page + 1, count - 1].into_iter().map(|place| (place, made[place].clone())) {
            let content = if subject.system == "shipstation-v2" { "IN_TRANSIT".to_owned() } else { format!("c-{done}-{place}") };
            (subject.reads.touch)(&world, &id, &content);
            is.insert(id, content);
        }
        if done == 1 {
            gone.iter().for_each(|id| (subject.reads.remove)(&world, id));
        }
        let new = (subject.reads.make)(&world, count + done);
        is.entry(new).or_default();
    };
    let mut changes = world
        .poll(&stream, &mut at, |done| {
            if done < 4 {
                meanwhile(done)
            }
        })
        .await
        .unwrap();
    // The next poll, and one after it: what happened while the last page was read is seen then.
    for _ in 0..2 {
        world.wait(60);
        changes.extend(world.poll(&stream, &mut at, |_| {}).await.unwrap());
    }
    told.extend(world.told(changes).await);
    for (id, content) in &is {
        match told.get(id) {
            Some(Some(known)) => assert!(content.is_empty() || known == content, "{}: {id} is {content} and was told as {known}", subject.name),
            other => panic!("{}: {id} was told as {other:?}", subject.name),
        }
    }
    for id in made.iter().filter(|id| !gone.contains(id)) {
        assert!(told.contains_key(id), "{}: {id} was never told", subject.name);
    }
    if let Some(stream) = subject.reads.tells_gone {
        let stream = world.streams().into_iter().find(|known| known.name == stream).unwrap();
        let told = world.poll(&stream, &mut None, |_| {}).await.unwrap();
        for id in &gone {
            assert!(told.iter().any(|change| change.id == *id && change.state == crossdock::connector::State::Gone), "{}: {id}", subject.name);
        }
    }
    let left = world.get(&gone).await;
    let removed = |change: &&crossdock::connector::Change| matches!(change.state, crossdock::connector::State::Upserted(_));
    assert!(subject.system == "shipstation-v2" || left.iter().filter(removed).count() == 0, "{}: {left:?}", subject.name);
}

/// A change that shows later than its stamp says is read all the same. Where others show before it, it is missed without the stream's
/// overlap.
pub async fn what_is_committed_late_is_read(subject: &'static Subject) {
    for with_overlap in [true, false] {
        let overlap = World::new(subject, Setup::default()).streams()[0].overlap;
        let lag = if overlap.is_zero() { SignedDuration::from_mins(3) } else { overlap - SignedDuration::from_secs(30) };
        let world = World::new(subject, Setup { lag, ..Setup::default() });
        world.wait(1);
        let made: Vec<String> = (0..20).map(|n| (subject.reads.make)(&world, n)).collect();
        world.wait(lag.as_secs() + 60);
        let mut stream = world.streams().remove(0);
        if !with_overlap {
            stream.overlap = SignedDuration::ZERO;
        }
        let (mut at, mut told) = (None, BTreeMap::new());
        let mut changes = world.poll(&stream, &mut at, |_| {}).await.unwrap();
        for id in &made {
            world.wait(25);
            (subject.reads.touch)(&world, id, "DELIVERED");
            changes.extend(world.poll(&stream, &mut at, |_| {}).await.unwrap());
        }
        world.wait(lag.as_secs() + 1);
        changes.extend(world.poll(&stream, &mut at, |_| {}).await.unwrap());
        told.extend(world.told(changes).await);
        let missed = made.iter().filter(|id| told.get(*id) != Some(&Some("DELIVERED".to_owned()))).count();
        if with_overlap || !subject.reads.is_late {
            assert_eq!(missed, 0, "{}: of 20", subject.name);
        } else {
            assert!(missed > 0, "{}: the sandbox was not late, so this test shows nothing", subject.name);
        }
    }
}

/// A session that ends between two pages is begun anew, and nothing is lost.
pub async fn a_session_that_ends_between_pages_is_renewed(subject: &'static Subject) {
    let Some(expire) = subject.reads.expire else { return };
    let world = World::new(subject, Setup::default());
    world.wait(1);
    let count = page_of(&world) + 10;
    let make = |n| {
        world.clock.advance(SignedDuration::from_millis(400));
        (subject.reads.make)(&world, n)
    };
    let made: BTreeSet<String> = (0..count).map(make).collect();
    world.wait(1);
    let signed_in = || world.wire.asked.lock().unwrap().iter().filter(|asked| is_sign_in(asked)).count();
    let mut at = None;
    let seen = names(&world, &mut at, |_| {
        world.act(expire, "", serde_json::json!({}));
    })
    .await;
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made, "{}", subject.name);
    assert_eq!(signed_in(), 2, "{}: once at first, once more", subject.name);
}
