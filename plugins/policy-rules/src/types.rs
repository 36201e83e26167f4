//! Checking a condition before anything runs: are its names known, do its types fit?
//!
//! The crate that evaluates CEL finds mistakes only in what it comes by, so that a condition with a
//! wrong name after `||` would fail in the middle of a search. Here every part is looked at.

use std::fmt;

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, SelectExpr, operators};
use cel::common::value::CelVal;

/// What a part of a condition can be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    /// True or false.
    Bool,
    /// A real number; conditions have no others.
    Number,
    /// A whole number, from `size()`: it can be compared with numbers.
    Whole,
    /// A text.
    Text,
    /// A list.
    List(Box<Type>),
    /// Values by name, any names.
    Map(Box<Type>),
    /// Values by name, these names only.
    Record(Vec<(&'static str, Type)>),
    /// An element of the empty list.
    Anything,
}

impl Type {
    /// Whether both can be meant.
    fn fits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Anything, _) | (_, Self::Anything) => true,
            (Self::List(one), Self::List(other)) | (Self::Map(one), Self::Map(other)) => {
                one.fits(other)
            }
            (one, other) => one == other,
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Number | Self::Whole | Self::Anything)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => write!(out, "true or false"),
            Self::Number => write!(out, "a number"),
            Self::Whole => write!(out, "a whole number"),
            Self::Text => write!(out, "a text"),
            Self::List(of) => write!(out, "a list of {of}"),
            Self::Map(of) => write!(out, "a map to {of}"),
            Self::Record(fields) => {
                let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
                write!(out, "a record of {}", names.join(", "))
            }
            Self::Anything => write!(out, "anything"),
        }
    }
}

/// Names that are known, the innermost last.
type Names = Vec<(String, Type)>;

/// The type of an expression.
///
/// # Errors
/// The first part that makes no sense, in words.
pub(crate) fn check(expr: &IdedExpr, known: Vec<(&'static str, Type)>) -> Result<Type, String> {
    let mut names: Names = known.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
    type_of(expr, &mut names)
}

fn type_of(expr: &IdedExpr, names: &mut Names) -> Result<Type, String> {
    match &expr.expr {
        Expr::Literal(value) => of_literal(value),
        Expr::Ident(name) => of_name(name, names),
        Expr::Select(select) => of_field(select, names),
        Expr::Call(call) => of_call(call, names),
        Expr::Comprehension(comprehension) => of_comprehension(comprehension, names),
        Expr::List(list) => {
            let mut of = Type::Anything;
            for element in &list.elements {
                let found = type_of(element, names)?;
                if !of.fits(&found) {
                    return Err(format!("a list has {of} and {found}"));
                }
                of = found;
            }
            Ok(Type::List(Box::new(of)))
        }
        Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
            Err("maps and messages can't be written in a condition".to_owned())
        }
    }
}

fn of_literal(value: &CelVal) -> Result<Type, String> {
    match value {
        CelVal::Boolean(_) => Ok(Type::Bool),
        CelVal::Double(_) => Ok(Type::Number),
        CelVal::Int(_) => Ok(Type::Whole),
        CelVal::String(_) => Ok(Type::Text),
        other => Err(format!("{other:?} can't be used in a condition")),
    }
}

fn of_name(name: &str, names: &Names) -> Result<Type, String> {
    let found = names.iter().rev().find(|(known, _)| known == name);
    found.map(|(_, kind)| kind.clone()).ok_or_else(|| {
        let known: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        format!("`{name}` is not known at this question (known: {})", known.join(", "))
    })
}

fn of_field(select: &SelectExpr, names: &mut Names) -> Result<Type, String> {
    let field = &select.field;
    let found = match type_of(&select.operand, names)? {
        Type::Map(of) => *of,
        Type::Record(fields) => {
            let known: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            let known = known.join(", ");
            let field = fields.into_iter().find(|(name, _)| name == field).map(|(_, kind)| kind);
            field.ok_or_else(|| format!("there is no `{}` here (known: {known})", select.field))?
        }
        other => return Err(format!("{other} has no `{field}`")),
    };
    // `has(x.y)` parses to a selection that is only tried.
    Ok(if select.test { Type::Bool } else { found })
}

fn of_call(call: &CallExpr, names: &mut Names) -> Result<Type, String> {
    let name = call.func_name.as_str();
    let target = call.target.as_deref().map(|target| type_of(target, names)).transpose()?;
    let arguments: Vec<Type> =
        call.args.iter().map(|argument| type_of(argument, names)).collect::<Result<_, _>>()?;
    let wrong = || {
        let words: Vec<String> = target.iter().chain(&arguments).map(Type::to_string).collect();
        format!("{} can't be used with {}", word(name), words.join(" and "))
    };
    match (name, &target, arguments.as_slice()) {
        (operators::LOGICAL_AND | operators::LOGICAL_OR, None, [Type::Bool, Type::Bool])
        | (operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE, None, [Type::Bool]) => {
            Ok(Type::Bool)
        }
        (operators::CONDITIONAL, None, [Type::Bool, one, other]) if one.fits(other) => {
            Ok(if *one == Type::Anything { other.clone() } else { one.clone() })
        }
        (operators::EQUALS | operators::NOT_EQUALS, None, [one, other])
            if one.fits(other) || (one.is_number() && other.is_number()) =>
        {
            Ok(Type::Bool)
        }
        (
            operators::LESS
            | operators::LESS_EQUALS
            | operators::GREATER
            | operators::GREATER_EQUALS,
            None,
            [one, other],
        ) if (one.is_number() && other.is_number())
            || (*one == Type::Text && *other == Type::Text) =>
        {
            Ok(Type::Bool)
        }
        (
            operators::ADD | operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE,
            None,
            [Type::Number, Type::Number],
        )
        | (operators::NEGATE, None, [Type::Number]) => Ok(Type::Number),
        (operators::ADD, None, [one @ Type::List(_), other @ Type::List(_)]) if one.fits(other) => {
            Ok(if matches!(one, Type::List(of) if **of == Type::Anything) {
                other.clone()
            } else {
                one.clone()
            })
        }
        (operators::IN, None, [one, Type::List(of)]) if one.fits(of) => Ok(Type::Bool),
        (operators::IN, None, [Type::Text, Type::Map(_)]) => Ok(Type::Bool),
        (operators::INDEX, None, [Type::Map(of), Type::Text])
        | (operators::INDEX, None, [Type::List(of), Type::Whole]) => Ok((**of).clone()),
        ("size", None, [Type::List(_) | Type::Map(_) | Type::Text])
        | ("size", Some(Type::List(_) | Type::Map(_) | Type::Text), []) => Ok(Type::Whole),
        ("double", None, [Type::Whole | Type::Number]) => Ok(Type::Number),
        ("min" | "max", None, [_, ..]) if arguments.iter().all(|one| *one == Type::Number) => {
            Ok(Type::Number)
        }
        ("startsWith" | "endsWith" | "contains", Some(Type::Text), [Type::Text]) => Ok(Type::Bool),
        (operators::ADD | operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE, ..)
            if arguments.contains(&Type::Whole) =>
        {
            Err(format!("{}; write `double(size(…))`", wrong()))
        }
        _ => Err(wrong()),
    }
}

/// What `exists`, `all`, `exists_one`, `map` and `filter` parse to: a loop with a result that grows.
fn of_comprehension(loop_of: &ComprehensionExpr, names: &mut Names) -> Result<Type, String> {
    let element = match type_of(&loop_of.iter_range, names)? {
        Type::List(of) => *of,
        // Maps are gone through by name.
        Type::Map(_) => Type::Text,
        other => return Err(format!("{other} can't be gone through one by one")),
    };
    let first = type_of(&loop_of.accu_init, names)?;
    let depth = names.len();
    names.push((loop_of.iter_var.clone(), element));
    names.push((loop_of.accu_var.clone(), first.clone()));
    let looped = (|| {
        if type_of(&loop_of.loop_cond, names)? != Type::Bool {
            return Err("a loop needs a condition that is true or false".to_owned());
        }
        let step = type_of(&loop_of.loop_step, names)?;
        if !first.fits(&step) {
            return Err(format!("{step} stands where {first} is needed"));
        }
        if let Some(result) = names.last_mut() {
            result.1 = step;
        }
        type_of(&loop_of.result, names)
    })();
    names.truncate(depth);
    looped
}

/// Makes every whole number a real one, as all values are; only the index of a list stays.
pub(crate) fn use_reals(expr: &mut IdedExpr) {
    match &mut expr.expr {
        Expr::Literal(value) => {
            let real = match value {
                CelVal::Int(number) => *number as f64,
                CelVal::UInt(number) => *number as f64,
                _ => return,
            };
            *value = CelVal::Double(real);
        }
        Expr::Select(select) => use_reals(&mut select.operand),
        Expr::Call(call) => {
            call.target.iter_mut().for_each(|target| use_reals(target));
            let kept = usize::from(call.func_name == operators::INDEX);
            let n = call.args.len().saturating_sub(kept);
            call.args.iter_mut().take(n).for_each(use_reals);
        }
        Expr::List(list) => list.elements.iter_mut().for_each(use_reals),
        Expr::Comprehension(loop_of) => {
            let ComprehensionExpr { iter_range, accu_init, loop_cond, loop_step, result, .. } =
                loop_of.as_mut();
            [iter_range, accu_init, loop_cond, loop_step, result].into_iter().for_each(use_reals);
        }
        Expr::Ident(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {}
    }
}

/// Names of the measurements and signals that an expression reads by name.
pub(crate) fn needs(expr: &IdedExpr) -> Vec<String> {
    let mut found = Vec::new();
    visit(expr, &mut found);
    found
}

fn visit(expr: &IdedExpr, found: &mut Vec<String>) {
    let is_measured = |expr: &IdedExpr| matches!(&expr.expr, Expr::Ident(name) if name == "measurements" || name == "signals");
    match &expr.expr {
        Expr::Select(select) => {
            // What is only asked for with `has` need not be there.
            if is_measured(&select.operand) && !select.test {
                found.push(select.field.clone());
            }
            visit(&select.operand, found);
        }
        Expr::Call(call) => {
            if let (operators::INDEX, [of, index]) = (call.func_name.as_str(), call.args.as_slice())
                && let Expr::Literal(CelVal::String(name)) = &index.expr
                && is_measured(of)
            {
                found.push(name.clone());
            }
            call.target.iter().for_each(|target| visit(target, found));
            call.args.iter().for_each(|argument| visit(argument, found));
        }
        Expr::List(list) => list.elements.iter().for_each(|element| visit(element, found)),
        Expr::Comprehension(loop_of) => {
            let ComprehensionExpr { iter_range, accu_init, loop_cond, loop_step, result, .. } =
                loop_of.as_ref();
            let parts = [iter_range, accu_init, loop_cond, loop_step, result];
            parts.into_iter().for_each(|part| visit(part, found));
        }
        _ => {}
    }
}

/// An operator or function as it is written.
fn word(name: &str) -> String {
    let plain: String = name.chars().filter(|c| !"_@".contains(*c)).collect();
    match name.starts_with(['_', '@', '!', '-']) {
        true => format!("`{plain}`"),
        false => format!("`{name}()`"),
    }
}
