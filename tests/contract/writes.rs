//! Writing: what is asked of each write is the promise of its guarantee.

use crossdock::connector::{Done, Receipt};
use crossdock::fault::Fault;
use crossdock::system::Guarantee;
use crossdock::value::Json;

use super::systems::{Item, Subject, Write};
use super::world::{Meddling, Of, Setup, World};

fn guarantee(world: &World, write: &Write) -> Guarantee {
    world.held_to(write).guarantee
}

fn done(receipts: Result<Vec<Receipt>, Fault>, of: &str) -> Done {
    let mut receipts = receipts.unwrap_or_else(|fault| panic!("{of}: {fault}"));
    assert_eq!(receipts.len(), 1, "{of}");
    receipts.remove(0).outcome.unwrap_or_else(|fault| panic!("{of}: {fault}"))
}

fn class(receipts: Result<Vec<Receipt>, Fault>) -> &'static str {
    match receipts {
        Err(fault) => fault.class(),
        Ok(receipts) => receipts.into_iter().find_map(|receipt| receipt.outcome.err()).map_or("done", |fault| fault.class()),
    }
}

/// The fault of a call, or of its only item.
pub fn refused(receipts: Result<Vec<Receipt>, Fault>, of: &str) -> Fault {
    match receipts {
        Err(fault) => fault,
        Ok(mut receipts) if receipts.len() == 1 => receipts.remove(0).outcome.map(|done| panic!("{of}: {done:?}")).unwrap_err(),
        Ok(receipts) => panic!("{of}: {receipts:?}"),
    }
}

pub async fn what_is_written_is_there_once_and_its_receipt_names_it(subject: &'static Subject) {
    for write in subject.writes {
        let of = format!("{}, {}", subject.name, write.name);
        let world = World::new(subject, Setup::default());
        let items: Vec<Item> = (0..world.held_to(write).batch.min(3)).map(|n| (write.item)(&world, n)).collect();
        let receipts = world.send(write, &items).await.unwrap_or_else(|fault| panic!("{of}: {fault}"));
        assert_eq!(receipts.len(), items.len(), "{of}");
        let mut ids = std::collections::BTreeSet::new();
        for (item, receipt) in items.iter().zip(receipts) {
            let done = receipt.outcome.unwrap_or_else(|fault| panic!("{of}: {fault}"));
            assert_eq!((write.done)(&world, item), 1, "{of}");
            ids.insert(done.id.clone());
            if let (Some(given), Some(told)) = (&item.id, &done.id) {
                assert_eq!(given, told, "{of}");
            }
        }
        assert_eq!(ids.len(), items.len(), "{of}: each has its own id: {ids:?}");
    }
}

/// The reply is lost, the request is lost, or it is carried out later: what the guarantee says is then done, and the effect is
/// there once.
pub async fn a_write_in_doubt_ends_with_one_effect(subject: &'static Subject) {
    for write in subject.writes {
        for (name, meddling) in [("reply lost", Meddling::LostReply), ("request lost", Meddling::LostRequest), ("late", Meddling::Late)] {
            let of = format!("{}, {}: {name}", subject.name, write.name);
            // A search may show an effect as late as the manifest says that it can.
            let world = World::new(subject, Setup::default());
            let held = world.held_to(write);
            let item = (write.item)(&world, 1);
            let (late, lost) = (matches!(meddling, Meddling::Late), matches!(meddling, Meddling::LostRequest));
            world.meddle(Of::Write, meddling);
            assert_eq!(class(world.send(write, std::slice::from_ref(&item)).await), "ambiguous", "{of}");
            match guarantee(&world, write) {
                // What is sent twice adds twice: it is looked up before it is sent again.
                Guarantee::Idempotent if world.repeat_adds(write, &item) => {
                    assert!(!held.settle.is_zero(), "{of}: how long to wait is known");
                    world.wait(held.settle.as_secs() - 1);
                    assert_eq!(world.arrive(), usize::from(late), "{of}");
                    world.wait(1);
                    let is_there = (write.done)(&world, &item) == 1;
                    assert_eq!(is_there, !lost, "{of}");
                    if !is_there {
                        done(world.send(write, std::slice::from_ref(&item)).await, &of);
                    }
                    assert_eq!((write.done)(&world, &item), 1, "{of}");
                }
                Guarantee::Idempotent => {
                    let again = done(world.send(write, std::slice::from_ref(&item)).await, &of);
                    world.wait((held.settle.as_secs() - 1).max(0));
                    assert_eq!(world.arrive(), usize::from(late), "{of}");
                    assert_eq!((write.done)(&world, &item), 1, "{of}");
                    let third = done(world.send(write, std::slice::from_ref(&item)).await, &of);
                    assert_eq!(again.id, third.id, "{of}: it is one record");
                    assert_eq!((write.done)(&world, &item), 1, "{of}");
                }
                Guarantee::Token | Guarantee::Searchable => {
                    assert!(!held.settle.is_zero() && held.found_by.is_some(), "{of}: how long to wait, and what to search by, is known");
                    world.wait(held.settle.as_secs() - 1);
                    assert_eq!(world.arrive(), usize::from(late), "{of}");
                    world.wait(1);
                    let (field, value) = (write.searched.expect("it is searched by something"))(&item);
                    assert_eq!(Some(field), held.found_by.as_deref(), "{of}");
                    let found = world.find(write, field, &value).await;
                    assert_eq!(found, usize::from(!lost), "{of}: the search tells whether it was done");
                    if found == 0 {
                        done(world.send(write, std::slice::from_ref(&item)).await, &of);
                        assert_eq!(world.find(write, field, &value).await, 1, "{of}");
                    }
                    assert_eq!((write.done)(&world, &item), 1, "{of}");
                }
                // Nothing tells whether it was done: a person decides. That it is in doubt is all that is promised.
                Guarantee::Unprotected => {
                    world.arrive();
                    assert_eq!((write.done)(&world, &item), usize::from(!lost), "{of}");
                }
            }
        }
    }
}

/// One of several that the system refuses takes no other with it, and each is told by itself.
pub async fn each_item_of_a_batch_is_told_by_itself(subject: &'static Subject) {
    for write in subject.writes {
        let batch = World::new(subject, Setup::default()).held_to(write).batch.min(4);
        for bad in 0..batch {
            let of = format!("{}, {}: {bad} of {batch}", subject.name, write.name);
            let world = World::new(subject, Setup::default());
            let mut items: Vec<Item> = (0..batch).map(|n| (write.item)(&world, n)).collect();
            (write.refused)(&mut items[bad]);
            let sent = world.send(write, &items).await;
            if batch == 1 {
                assert_eq!(class(sent), "rejected", "{of}");
                continue;
            }
            let receipts = sent.unwrap_or_else(|fault| panic!("{of}: {fault}"));
            assert_eq!(receipts.len(), items.len(), "{of}");
            for (place, receipt) in receipts.into_iter().enumerate() {
                match receipt.outcome {
                    Err(fault) => assert!(place == bad && matches!(fault, Fault::Rejected(_)), "{of}: {place}: {fault}"),
                    Ok(_) => assert!(place != bad && (write.done)(&world, &items[place]) == 1, "{of}: {place}"),
                }
            }
        }
    }
}

/// An answer that leaves an item out says nothing of it; one in another order is read by its keys, where it has some.
pub async fn an_answer_that_lacks_or_shuffles_items_puts_none_in_the_others_place(subject: &'static Subject) {
    for write in subject.writes {
        let batch = World::new(subject, Setup::default()).held_to(write).batch.min(3);
        if batch < 2 {
            continue;
        }
        for missing in 0..batch {
            let of = format!("{}, {}: without {missing}", subject.name, write.name);
            let world = World::new(subject, Setup::default());
            let items: Vec<Item> = (0..batch).map(|n| (write.item)(&world, n)).collect();
            let results = write.results;
            world.meddle(
                Of::Write,
                Meddling::Edit(Box::new(move |mut answer: Json| {
                    match answer.pointer_mut(results).unwrap() {
                        Json::Array(items) => {
                            items.remove(missing);
                        }
                        // By alias.
                        other => {
                            other.as_object_mut().unwrap().remove(&format!("a{missing}")).unwrap();
                        }
                    }
                    answer
                })),
            );
            match world.send(write, &items).await {
                Err(fault) => assert_eq!(fault.class(), "ambiguous", "{of}"),
                Ok(receipts) => {
                    assert_eq!(receipts.len(), batch, "{of}");
                    for (place, receipt) in receipts.into_iter().enumerate() {
                        match receipt.outcome {
                            Ok(_) => assert!(write.by_key && place != missing, "{of}: {place}"),
                            Err(fault) => assert!(place == missing && fault.class() == "ambiguous", "{of}: {place}: {fault}"),
                        }
                    }
                }
            }
        }
        if !write.by_key {
            continue;
        }
        let of = format!("{}, {}: shuffled", subject.name, write.name);
        let world = World::new(subject, Setup::default());
        let mut items: Vec<Item> = (0..batch).map(|n| (write.item)(&world, n)).collect();
        (write.refused)(&mut items[0]);
        let results = write.results;
        world.meddle(
            Of::Write,
            Meddling::Edit(Box::new(move |mut answer: Json| {
                match answer.pointer_mut(results).unwrap() {
                    Json::Array(items) => items.reverse(),
                    other => {
                        let fields = std::mem::take(other.as_object_mut().unwrap());
                        *other = Json::Object(fields.into_iter().rev().collect());
                    }
                }
                answer
            })),
        );
        let receipts = world.send(write, &items).await.unwrap();
        assert_eq!(receipts.len(), items.len(), "{of}");
        for (place, receipt) in receipts.into_iter().enumerate() {
            assert_eq!(receipt.outcome.is_ok(), place != 0, "{of}: {place}: {:?}", receipt.outcome);
        }
    }
}

/// A call that is refused as a whole has done nothing: it is bisected where it had several items.
pub async fn a_call_that_is_refused_as_a_whole_has_done_nothing(subject: &'static Subject) {
    for write in subject.writes {
        for count in [1, world_batch(subject, write).min(3)] {
            let of = format!("{}, {}: {count}", subject.name, write.name);
            let world = World::new(subject, Setup::default());
            let items: Vec<Item> = (0..count).map(|n| (write.item)(&world, n)).collect();
            world.meddle(Of::Write, Meddling::Answer(400, Vec::new(), r#"{"message":"malformed"}"#.to_owned()));
            let fault = refused(world.send(write, &items).await, &of);
            assert!(matches!(fault, Fault::BatchRefused(_)) || (count == 1 && matches!(fault, Fault::Rejected(_))), "{of}: {fault:?}");
            assert!(items.iter().all(|item| (write.done)(&world, item) == 0), "{of}");
        }
    }
}

fn world_batch(subject: &'static Subject, write: &Write) -> usize {
    World::new(subject, Setup::default()).held_to(write).batch
}

/// What is there already under the key, made by somebody else or by us, is the record that is written: no second one is made.
pub async fn what_exists_under_the_key_is_taken_up(subject: &'static Subject) {
    for write in subject.writes.iter().filter(|write| write.operation != crossdock::connector::Operation::Update) {
        let world = World::new(subject, Setup::default());
        if guarantee(&world, write) != Guarantee::Idempotent {
            continue;
        }
        let of = format!("{}, {}", subject.name, write.name);
        let item = (write.item)(&world, 1);
        let first = done(world.send(write, std::slice::from_ref(&item)).await, &of);
        // As another process would send it, which knows nothing of the first.
        let second = done(world.send(write, std::slice::from_ref(&item)).await, &of);
        assert_eq!((first.id, (write.done)(&world, &item)), (second.id, 1), "{of}");
        assert_ne!(second.created, Some(true), "{of}: it was there");
    }
}
