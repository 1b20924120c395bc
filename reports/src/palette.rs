//! One colour and one shape a transport, everywhere the same.
//!
//! The transports' colours are variants of Okabe & Ito's, told apart by colour-blind readers and
//! dark (or light) enough to be text: a test computes the contrast of each on both grounds.

use std::fmt::Write as _;

use pushoff_model::Transport;

/// A colour of the page on paper and at night, by the name of its CSS variable.
pub(crate) struct Colour {
    /// The variable's name, without the dashes.
    pub(crate) name: &'static str,
    light: &'static str,
    dark: &'static str,
}

const fn colour(name: &'static str, light: &'static str, dark: &'static str) -> Colour {
    Colour { name, light, dark }
}

/// The ground.
const PAPER: Colour = colour("paper", "#FCFCFA", "#16181B");
/// The ground of cards and of the best figure.
const RAISED: Colour = colour("raised", "#F6F6F2", "#1F2226");

/// What is read: each reaches WCAG AA on both grounds.
const READ: [Colour; 6] = [
    colour("ink", "#1B1B1B", "#E8E6E3"),
    colour("faint", "#5C5C5C", "#A3A3A3"),
    colour("good", "#00694E", "#2FC79A"),
    colour("bad", "#A8261C", "#FF8A80"),
    colour("link", "#005C94", "#7CC1F0"),
    colour("slo", "#5B4B8A", "#B9A7E8"),
];
/// Lines that only help the eye along.
const RULE: Colour = colour("rule", "#DADAD4", "#383C42");
/// What shows that a table goes on beyond its box.
const SHADE: Colour = colour("shade", "#C4C4BC", "#050607");

/// The colour of a transport.
pub(crate) const fn transport(transport: Transport) -> Colour {
    let traits = transport.traits();
    colour(traits.name, traits.colour.light, traits.colour.dark)
}

/// The variables for paper, night and print, and the classes that charts draw with.
pub(crate) fn css() -> String {
    let colours = || [PAPER, RAISED, RULE, SHADE].into_iter().chain(READ).chain(Transport::ALL.map(transport));
    let variables = |pick: fn(&Colour) -> &'static str| {
        colours().fold(String::new(), |mut all, colour| {
            // Writing to a string cannot fail.
            let _written = write!(all, "--{}:{};", colour.name, pick(&colour));
            all
        })
    };
    let (light, dark) = (variables(|colour| colour.light), variables(|colour| colour.dark));
    let mut css = format!(
        ":root{{color-scheme:light;{light}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n\
         @media screen{{:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n"
    );
    for colour in colours() {
        let name = colour.name;
        let _written = writeln!(
            css,
            ".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}.c-{name}{{color:var(--{name})}}"
        );
    }
    for transport in Transport::ALL {
        let (name, dashes) = (transport.name(), transport.traits().dashes);
        let _written = writeln!(css, "polyline.s-{name}{{stroke-dasharray:{dashes}}}");
        let _written = writeln!(css, ".card.edge-{name}{{border-color:var(--{name})}}");
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2, relative luminance.
    fn luminance(hex: &str) -> f64 {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn black_on_white_has_a_contrast_of_21() {
        assert!((contrast("#000000", "#FFFFFF") - 21.0).abs() < 1e-9);
    }

    #[test]
    fn everything_that_is_read_reaches_wcag_aa_on_both_grounds() {
        for colour in READ.into_iter().chain(Transport::ALL.map(transport)) {
            for ground in [PAPER, RAISED] {
                let ratios = [contrast(colour.light, ground.light), contrast(colour.dark, ground.dark)];
                assert!(ratios.iter().all(|ratio| *ratio >= 4.5), "{} on {}: {ratios:?}", colour.name, ground.name);
            }
        }
    }

    #[test]
    fn the_style_names_every_transport() {
        let css = css();
        for transport in Transport::ALL {
            assert!(css.contains(&format!("--{}:", transport.name())), "{css}");
        }
    }
}
