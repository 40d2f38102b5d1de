//! Time, passed in as a value.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;

/// A moment by both of a machine's clocks. The wall clock says what day it is, and somebody may set it; the steady
/// clock only ever goes forward, and measures how long something took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub wall: Timestamp,
    /// Milliseconds since some fixed moment of this boot.
    pub steady: i64,
    /// Which boot of the machine the steady clock counts from. Two moments of one boot can be compared across
    /// processes; `None`: only those of one process can.
    pub boot: Option<u64>,
}

/// What time it is, and waiting. The simulator has its own.
#[async_trait]
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
    /// Both clocks at once.
    fn moment(&self) -> Moment;
    async fn sleep(&self, time: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn moment(&self) -> Moment {
        /// When this process first asked, and the boot where the machine tells how long it has been up.
        static BEGAN: OnceLock<(Instant, Option<(u64, i64)>)> = OnceLock::new();
        let (began, booted) = BEGAN.get_or_init(|| (Instant::now(), boot().zip(uptime())));
        let wall = Timestamp::now();
        let passed = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        match booted {
            // The time since the boot goes on while the machine is suspended, a process's own clock does not.
            Some((boot, up)) => Moment { wall, steady: uptime().unwrap_or(up.saturating_add(passed)), boot: Some(*boot) },
            None => Moment { wall, steady: passed, boot: None },
        }
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Milliseconds since the machine was started, where it tells.
fn uptime() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    let hundredths: i64 = hundredths.get(..2)?.parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1_000)?.checked_add(hundredths * 10)
}

/// A number for the present boot of the machine.
fn boot() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    u64::from_str_radix(text.get(..8)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{Clock as _, SystemClock};

    #[test]
    fn the_steady_clock_goes_forward() {
        let first = SystemClock.moment();
        std::thread::sleep(std::time::Duration::from_millis(30));
        let second = SystemClock.moment();
        assert!((10..5_000).contains(&(second.steady - first.steady)), "{first:?} {second:?}");
        assert_eq!(first.boot, second.boot);
    }
}
