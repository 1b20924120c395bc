//! The trials of a run, their order, and the most subscribers that the machine has room for.

mod asked;
mod descriptors;
mod networks;
mod order;
mod search;

pub use asked::{Asked, AskedCell, Trial};
pub(crate) use descriptors::SUBSCRIBERS_A_PAGE;
pub use descriptors::{MOST_IN_A_BROWSER, connections_needed, descriptors_needed, raise_descriptor_limit};
pub use networks::Whole;
pub(crate) use networks::setting as setting_of_networks;
pub use order::{Left, Plan};
