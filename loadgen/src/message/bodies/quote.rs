//! Quotes of one symbol: bid, ask and last price do a random walk in ticks of a cent.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use crate::message::text::append;

/// The random walk of one symbol.
#[derive(Debug)]
pub(crate) struct Walk {
    chance: Xoshiro256PlusPlus,
    bid_cents: u32,
    volume: u64,
}

impl Walk {
    pub(super) const fn new(chance: Xoshiro256PlusPlus) -> Self {
        Self { chance, bid_cents: 25_000, volume: 1_000_000 }
    }

    pub(super) fn write_next(&mut self, out: &mut String) {
        let step = self.chance.random_range(-5_i32..=5);
        self.bid_cents = self.bid_cents.saturating_add_signed(step).clamp(10_000, 99_000);
        let ask = self.bid_cents + self.chance.random_range(1..=4);
        let last = self.chance.random_range(self.bid_cents..=ask);
        let [bid_size, ask_size] = [(); 2].map(|()| self.chance.random_range(1..=99_u32) * 100);
        self.volume += u64::from(self.chance.random_range(1..=50_u32)) * 100;
        let cents = |price: u32| (price / 100, price % 100);
        let ((bid, bid_cent), (ask, ask_cent), (last, last_cent)) = (cents(self.bid_cents), cents(ask), cents(last));
        append(
            out,
            format_args!(
                "{{\"symbol\":\"PUSH\",\"exchange\":\"XNAS\",\"bid\":{bid}.{bid_cent:02},\"bidSize\":{bid_size},\
             \"ask\":{ask}.{ask_cent:02},\"askSize\":{ask_size},\"last\":{last}.{last_cent:02},\"volume\":{},\
             \"currency\":\"USD\",\"halted\":false}}",
                self.volume
            ),
        );
    }
}
