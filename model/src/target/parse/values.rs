//! The values of a target's TOML: fields, templates, pointers.

use http::{HeaderName, HeaderValue, Method};
use toml::Spanned;

use super::Table;
use crate::file::{FileError, Source};
use crate::target::address::{is_path_and_query, is_query};
use crate::target::template::{Template, Variable};
use crate::target::{Field, Pointer, Said, SaidIn};

impl Source<'_> {
    pub(super) fn said(self, table: &Table) -> Result<Vec<Said>, FileError> {
        table
            .iter()
            .map(|(name, value)| {
                let template = Template::parse(value.get_ref());
                let strange =
                    template.variables().find(|variable| !matches!(variable, Variable::Id | Variable::Field(_)));
                if let Some(strange) = strange {
                    let problem = format!(
                        "{strange} is not known there: take {{id}}, or a field of the last response such as {{Etag}}"
                    );
                    return Err(self.wrong(value.span(), problem));
                }
                let place = match name.strip_prefix('?') {
                    Some(parameter) => SaidIn::Query(self.parameter(parameter, value)?),
                    None => SaidIn::Field(self.field_name(name, value)?),
                };
                Ok(Said { place, value: template })
            })
            .collect()
    }

    /// The name of a parameter, which goes into a query as it is.
    fn parameter(self, name: &str, value: &Spanned<String>) -> Result<String, FileError> {
        if !name.is_empty() && is_query(name) && !name.contains(['&', '=', '+', '?', '/']) {
            return Ok(name.to_owned());
        }
        let problem =
            format!("{name:?} is no name of a parameter: letters, digits and what a query may hold, e.g. since");
        Err(self.wrong(value.span(), problem))
    }

    pub(super) fn fields(self, table: &Table) -> Result<Vec<Field>, FileError> {
        table.iter().map(|(name, value)| Ok((self.field_name(name, value)?, self.value(name, value)?))).collect()
    }

    pub(super) fn field_name(self, name: &str, value: &Spanned<String>) -> Result<HeaderName, FileError> {
        name.parse().map_err(|_error| self.wrong(value.span(), format!("{name:?} is no name of an HTTP field")))
    }

    /// A field's value, with `{env:NAME}` replaced by what the environment says.
    pub(super) fn value(self, name: &str, value: &Spanned<String>) -> Result<HeaderValue, FileError> {
        let mut text = String::new();
        let mut rest = value.get_ref().as_str();
        while let Some((before, after)) = rest.split_once("{env:") {
            let Some((variable, after)) = after.split_once('}') else { break };
            let known = std::env::var(variable).map_err(|_error| {
                self.wrong(
                    value.span(),
                    format!("`{name}` wants the environment's {variable}, which is not set: export it"),
                )
            })?;
            text.push_str(before);
            text.push_str(&known);
            rest = after;
        }
        text.push_str(rest);
        HeaderValue::try_from(text)
            .map_err(|_error| self.wrong(value.span(), format!("`{name}` is no value of an HTTP field")))
    }

    pub(super) fn method(self, method: Option<&Spanned<String>>, usual: Method) -> Result<Method, FileError> {
        let Some(method) = method else { return Ok(usual) };
        method.get_ref().parse().map_err(|_error| {
            self.wrong(method.span(), format!("`method` is {:?}: e.g. POST, PUT or DELETE", method.get_ref()))
        })
    }

    pub(super) fn path(self, path: &Spanned<String>, known: &[Variable]) -> Result<Template, FileError> {
        let template = self.template("path", path, known)?;
        let mut example = String::new();
        template.fill(&mut example, |_| Some("1"));
        if !is_path_and_query(&example) {
            let problem = format!(
                "`path` is {:?}: it begins with / and holds what a URL may, no # and no . or .. between slashes, e.g. \
                 /topics/{{topic}}",
                path.get_ref()
            );
            return Err(self.wrong(path.span(), problem));
        }
        Ok(template)
    }

    pub(super) fn template(self, key: &str, text: &Spanned<String>, known: &[Variable]) -> Result<Template, FileError> {
        let template = Template::parse(text.get_ref());
        let strange = template.variables().find(|variable| !known.contains(variable));
        if let Some(strange) = strange {
            let known: Vec<String> = known.iter().map(ToString::to_string).collect();
            let known = if known.is_empty() { "no braces".to_owned() } else { known.join(", ") };
            return Err(self.wrong(text.span(), format!("`{key}` knows no {strange}: take {known}")));
        }
        Ok(template)
    }

    /// A JSON pointer (RFC 6901).
    pub(super) fn pointer(self, pointer: &Spanned<String>) -> Result<Pointer, FileError> {
        let text = pointer.get_ref();
        if text.is_empty() {
            return Ok(Pointer::default());
        }
        let Some(names) = text.strip_prefix('/') else {
            let problem = format!("{text:?} is no JSON pointer (RFC 6901): e.g. \"/data\", or \"\" for the whole");
            return Err(self.wrong(pointer.span(), problem));
        };
        Ok(Pointer(names.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect()))
    }
}
