//! What the tables of rules share: the macro that makes an enum and its table, and the check of one
//! condition.

/// Makes an enum and its table from one list, so that each variant and its row stand once.
///
/// A row is the doc of the variant, its name, and the other columns of the table, which are the arguments
/// of the row's `new` after the variant. [`rule`](super::violation::Violation::rule) finds the row of a
/// variant.
///
/// ```text
/// rules! {
///     /// What can be wrong with a colour.
///     enum ColourError;
///     /// Every rule, in the order of [`ColourError`].
///     static COLOUR_RULES: ColourRule;
///
///     /// The name is not in the list.
///     Unknown("3-a", "unknown colour");
///     /// The number has more than six digits.
///     TooLong("3-b", "a colour has six digits");
/// }
/// assert_eq!(ColourError::TooLong.rule().sentence, "a colour has six digits");
/// ```
macro_rules! rules {
    (
        $(#[$enum_doc:meta])* enum $Enum:ident;
        $(#[$table_doc:meta])* static $TABLE:ident: $Rule:ident;
        $($(#[$doc:meta])* $Variant:ident($($column:expr),+);)+
    ) => {
        $(#[$enum_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Enum {
            $($(#[$doc])* $Variant,)+
        }

        $(#[$table_doc])*
        pub static $TABLE: [$Rule; [$($Enum::$Variant),+].len()] =
            [$($Rule::new($Enum::$Variant, $($column),+)),+];

        impl $Enum {
            /// Its row in the table.
            pub fn rule(self) -> &'static $Rule {
                &$TABLE[self as usize]
            }
        }
    };
}

pub(super) use rules;

/// `error`, unless the condition is met.
pub(super) fn ensure<E>(is_met: bool, error: E) -> Result<(), E> {
    if is_met { Ok(()) } else { Err(error) }
}
