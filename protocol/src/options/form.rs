//! Forms: the sets of parameters that make up one kind of connection.
//!
//! A form is declared once, as a struct whose fields name their parameters; what it admits, how it is read and how it
//! is printed all follow from that.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use super::display::Writer;
use super::error::{FormName, OptionsError, excerpt};
use super::grammar::{self, RawParameter};
use super::suggest::closest;
use super::value::Value;
use super::{MAX_LENGTH, Parameter, Transport, ValueError};

/// The parameters that a field can be given with. They exclude each other.
pub(super) type Alternatives = &'static [Parameter];

/// A set of parameters.
pub(super) trait Form {
    /// Appends what this form admits, in the order in which it is printed.
    fn admit(admitted: &mut Vec<Parameter>)
    where
        Self: Sized;

    /// Takes what is this form's from `given`.
    fn read(given: &Given<'_>) -> Result<Self, OptionsError>
    where
        Self: Sized;

    /// Prints the parameters.
    fn write(&self, writer: &mut Writer<'_, '_>) -> fmt::Result;
}

/// Declares a form: each field with its type and `= [Parameter, ...]`, or `= [..]` for a form within the form.
macro_rules! form {
    ($(#[$doc:meta])* pub struct $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $parameters:tt,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)+ }

        impl $crate::options::form::Form for $name {
            fn admit(admitted: &mut alloc::vec::Vec<$crate::options::Parameter>) {
                $(form!(@admit admitted, $type, $parameters);)+
            }

            fn read(
                given: &$crate::options::form::Given<'_>,
            ) -> Result<Self, $crate::options::OptionsError> {
                Ok(Self { $($field: form!(@read given, $parameters),)+ })
            }

            fn write(&self, writer: &mut $crate::options::display::Writer<'_, '_>) -> core::fmt::Result {
                $(form!(@write writer, &self.$field, $parameters);)+
                Ok(())
            }
        }
    };
    (@admit $admitted:ident, $type:ty, [..]) => { <$type as $crate::options::form::Form>::admit($admitted) };
    (@admit $admitted:ident, $type:ty, [$($parameter:ident),+]) => {
        $admitted.extend([$($crate::options::Parameter::$parameter),+])
    };
    (@read $given:ident, [..]) => { $crate::options::form::Form::read($given)? };
    (@read $given:ident, [$($parameter:ident),+]) => {
        $given.field(&[$($crate::options::Parameter::$parameter),+])?
    };
    (@write $writer:ident, $field:expr, [..]) => { $crate::options::form::Form::write($field, $writer)? };
    (@write $writer:ident, $field:expr, [$($parameter:ident),+]) => {
        $crate::options::form::Field::write($field, &[$($crate::options::Parameter::$parameter),+], $writer)?
    };
}

/// A connection string whose transport is known, and whose parameters are not looked at yet.
pub(super) struct Unread<'a> {
    pub(super) name: FormName,
    parameters: Vec<RawParameter<'a>>,
}

impl<'a> Unread<'a> {
    /// Takes `text` apart; `transports` are those that this end has.
    pub(super) fn parse(text: &'a str, transports: &'static [Transport]) -> Result<Self, OptionsError> {
        if text.len() > MAX_LENGTH {
            return Err(OptionsError::TooLong(text.len()));
        }
        let raw = grammar::parse(text)?;
        let transport = Transport::find(raw.transport).filter(|transport| transports.contains(transport));
        let transport = transport.ok_or_else(|| OptionsError::UnknownTransport {
            given: excerpt(raw.transport),
            suggestion: closest(raw.transport, transports.iter().copied(), Transport::name),
            allowed: transports,
        })?;
        let reverse = raw.parameters.iter().any(|parameter| Parameter::find(parameter.name) == Some(Parameter::Clicon));
        Ok(Self { name: FormName { transport, reverse }, parameters: raw.parameters })
    }

    /// Reads the parameters as those of `F`.
    pub(super) fn read<F: Form>(self) -> Result<F, OptionsError> {
        let mut admitted = Vec::new();
        F::admit(&mut admitted);
        F::read(&Given::admit(self, admitted)?)
    }
}

/// The parameters of a connection string: each known, admitted by the form, and given once.
pub(super) struct Given<'a> {
    form: FormName,
    parameters: Vec<(Parameter, Option<Cow<'a, str>>)>,
}

impl<'a> Given<'a> {
    fn admit(unread: Unread<'a>, admitted: Vec<Parameter>) -> Result<Self, OptionsError> {
        let form = unread.name;
        let mut parameters: Vec<(Parameter, _)> = Vec::new();
        for RawParameter { name, value } in unread.parameters {
            let Some(parameter) = Parameter::find(name) else {
                return Err(if parameters.last().is_some_and(|(last, _)| *last == Parameter::Password) {
                    OptionsError::CommaInPassword(form)
                } else {
                    let suggestion = closest(name, admitted.iter().copied(), Parameter::name);
                    OptionsError::UnknownParameter { form, given: excerpt(name), suggestion, allowed: admitted }
                });
            };
            if !admitted.contains(&parameter) {
                return Err(OptionsError::Misplaced { form, parameter, allowed: admitted });
            }
            if parameters.iter().any(|(earlier, _)| *earlier == parameter) {
                return Err(OptionsError::Duplicate { form, parameter });
            }
            parameters.push((parameter, value));
        }
        Ok(Self { form, parameters })
    }

    /// Reads the field that is given with one of `admitted`.
    pub(super) fn field<T: Field>(&self, admitted: Alternatives) -> Result<T, OptionsError> {
        let mut present = self.parameters.iter().filter(|(parameter, _)| admitted.contains(parameter));
        let Some((parameter, value)) = present.next() else {
            return T::absent().map_err(|allowed| OptionsError::Missing {
                form: self.form,
                parameters: admitted,
                allowed,
            });
        };
        if let Some((second, _)) = present.next() {
            return Err(OptionsError::Exclusive { form: self.form, first: *parameter, second: *second });
        }
        T::read(*parameter, value.as_deref()).map_err(|problem| OptionsError::Value {
            form: self.form,
            parameter: *parameter,
            problem,
        })
    }
}

/// The types of fields: a value is required, an optional one is not, and a flag is there or not.
pub(super) trait Field: Sized {
    /// What the field is where it is not given, or else what must be given.
    fn absent() -> Result<Self, &'static str>;

    /// Reads what was given with `parameter`.
    fn read(parameter: Parameter, text: Option<&str>) -> Result<Self, ValueError>;

    /// Prints the field with the one of `admitted` that says it.
    fn write(&self, admitted: Alternatives, writer: &mut Writer<'_, '_>) -> fmt::Result;
}

impl<T: Value> Field for T {
    fn absent() -> Result<Self, &'static str> {
        Err(T::MISSING)
    }

    fn read(parameter: Parameter, text: Option<&str>) -> Result<Self, ValueError> {
        <T as Value>::read(parameter, text.unwrap_or_default())
    }

    fn write(&self, admitted: Alternatives, writer: &mut Writer<'_, '_>) -> fmt::Result {
        writer.value(self.parameter(admitted), &self.text())
    }
}

impl<T: Value> Field for Option<T> {
    fn absent() -> Result<Self, &'static str> {
        Ok(None)
    }

    fn read(parameter: Parameter, text: Option<&str>) -> Result<Self, ValueError> {
        <T as Field>::read(parameter, text).map(Some)
    }

    fn write(&self, admitted: Alternatives, writer: &mut Writer<'_, '_>) -> fmt::Result {
        self.as_ref().map_or(Ok(()), |value| Field::write(value, admitted, writer))
    }
}

impl Field for bool {
    fn absent() -> Result<Self, &'static str> {
        Ok(false)
    }

    fn read(_: Parameter, text: Option<&str>) -> Result<Self, ValueError> {
        match text {
            None => Ok(true),
            Some("") => Err(ValueError::new("=", "follows a parameter that takes no value", "the name alone")),
            Some(text) => Err(ValueError::new(text, "is a value where none is taken", "the name alone")),
        }
    }

    fn write(&self, admitted: Alternatives, writer: &mut Writer<'_, '_>) -> fmt::Result {
        if *self { writer.flag(admitted[0]) } else { Ok(()) }
    }
}
