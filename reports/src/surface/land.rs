//! The land of a map: what lies together, as few blocks, and where its name is to stand.

use pushoff_model::Transport;

use super::{COLUMNS, Map, ROWS, float};

/// A block of points, from a column and a row up to but without others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) columns: (usize, usize),
    pub(crate) rows: (usize, usize),
}

/// All points of which something is so, as blocks that do not overlap: runs of a row, joined with those
/// of the row below that begin and end where they do.
pub(crate) fn blocks(is_so: impl Fn(usize, usize) -> bool) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for row in 0..ROWS {
        let mut column = 0;
        while column < COLUMNS {
            let first = column;
            while column < COLUMNS && is_so(column, row) {
                column += 1;
            }
            if first == column {
                column += 1;
                continue;
            }
            let columns = (first, column);
            match blocks.iter_mut().find(|it| it.columns == columns && it.rows.1 == row) {
                Some(below) => below.rows.1 = row + 1,
                None => blocks.push(Block { columns, rows: (row, row + 1) }),
            }
        }
    }
    blocks
}

/// Where a name stands: amid the widest part of its land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    /// Whose land it is: nobody's where none is to be taken.
    pub(crate) choice: Option<Transport>,
    /// The points that it has room in.
    pub(crate) room: Block,
}

impl Spot {
    /// The middle of its room, in columns and rows.
    pub(crate) fn middle(&self) -> (f64, f64) {
        let middle = |(from, to): (usize, usize)| float(from + to - 1) / 2.0;
        (middle(self.room.columns), middle(self.room.rows))
    }
}

/// Land of fewer rows has no room for a name.
const LEAST_ROWS: usize = 2;

/// A name for each land that has room for it: points that touch and have the same choice.
pub(crate) fn spots(map: &Map) -> Vec<Spot> {
    let mut land = vec![None; COLUMNS * ROWS];
    let mut count = 0;
    for start in 0..COLUMNS * ROWS {
        if land[start].is_none() {
            spread(map, &mut land, start, count);
            count += 1;
        }
    }
    (0..count).filter_map(|number| spot(map, &land, number)).collect()
}

/// Gives a number to all points that are reached from one without leaving its choice.
fn spread(map: &Map, land: &mut [Option<usize>], start: usize, number: usize) {
    let choice = |place: usize| map.at(place % COLUMNS, place / COLUMNS).choice;
    let mut open = vec![start];
    while let Some(place) = open.pop() {
        if land[place].is_some() || choice(place) != choice(start) {
            continue;
        }
        land[place] = Some(number);
        let (column, row) = (place % COLUMNS, place / COLUMNS);
        open.extend((column > 0).then(|| place - 1));
        open.extend((column + 1 < COLUMNS).then_some(place + 1));
        open.extend((row > 0).then(|| place - COLUMNS));
        open.extend((row + 1 < ROWS).then_some(place + COLUMNS));
    }
}

/// The middle of the block of that land that has most room; of blocks as large, the first.
fn spot(map: &Map, land: &[Option<usize>], number: usize) -> Option<Spot> {
    let is_of_it = |column: usize, row: usize| land[row * COLUMNS + column] == Some(number);
    // Over every pair of rows, the longest run that all rows between have: few enough to look at all.
    let mut best: Option<((usize, usize), Block)> = None;
    for low in 0..ROWS {
        for high in low + LEAST_ROWS..=ROWS {
            let mut first = 0;
            for column in 0..=COLUMNS {
                if column < COLUMNS && (low..high).all(|row| is_of_it(column, row)) {
                    continue;
                }
                // A name is broad and low: rows beyond a few give it nothing.
                let rows = high - low;
                let room = ((column - first) * rows.min(2 * LEAST_ROWS), rows);
                if column > first && best.is_none_or(|(most, _)| room > most) {
                    best = Some((room, Block { columns: (first, column), rows: (low, high) }));
                }
                first = column + 1;
            }
        }
    }
    let (_, room) = best?;
    Some(Spot { choice: map.at(room.columns.0, room.rows.0).choice, room })
}
