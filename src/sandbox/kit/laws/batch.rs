//! `all_or_none` and `each_by_itself`: what becomes of a request's items where one of them is refused.

/// Carries out all items, or leaves everything as it was.
///
/// # Errors
/// What the first item that is refused is refused for, and its place.
pub fn all_or_none<S: Clone, I, T, E>(state: &mut S, items: &[I], mut one: impl FnMut(&mut S, &I) -> Result<T, E>) -> Result<Vec<T>, (usize, E)> {
    let before = state.clone();
    let mut done = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        match one(state, item) {
            Ok(made) => done.push(made),
            Err(why) => {
                *state = before;
                return Err((at, why));
            }
        }
    }
    Ok(done)
}

/// Carries out each item by itself, in their order.
pub fn each_by_itself<S, I, T, E>(state: &mut S, items: &[I], mut one: impl FnMut(&mut S, &I) -> Result<T, E>) -> Vec<Result<T, E>> {
    items.iter().map(|item| one(state, item)).collect()
}
