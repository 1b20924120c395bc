//! A transport's name as every page shows it: with its colour and its shape.

use maud::{Markup, html};
use pushoff_model::Transport;

/// A transport's marker and name in its colour.
pub(crate) fn name(transport: Transport) -> Markup {
    html! {
        span class=(format!("name c-{}", transport.name())) {
            svg.marker viewBox="-16 -16 32 32" aria-hidden="true" {
                path class=(format!("f-{}", transport.name())) d=(transport.traits().marker) {}
            }
            (transport.label())
        }
    }
}
