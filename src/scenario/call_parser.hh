#pragma once

#include "src/scenario/ast.hh"
#include "src/scenario/cursor.hh"
#include "src/scenario/signatures.hh"

/// The grammar of calls, results and expectations (the text of one step). Each function throws ParseFailure.

namespace wakepath::scenario {

/// `[NAME {, NAME} =] FUNCTION(arg, …) [= result]`
CallStep parse_call(const Source& source, const Yaml& scalar);

/// A result of a call of that kind, as it stands in `any:` or after `returns`; the cursor must end there.
Result parse_result(Cursor& cursor, const Signature& signature);

/// `c.state == ESTABLISHED`, `lfd in ep.ready_list`
Expectation parse_expectation(const Source& source, const Yaml& scalar);

/// A literal address, for `services`.
Address parse_listen_address(const Source& source, const Yaml& scalar);

/// `50ms`
Duration parse_duration(const Source& source, const Yaml& scalar);

/// For a word that is none of the set: which words it could have been, and whether Linux has it but the model has not.
[[noreturn]] void fail_word(const Source& source, Position at, Words set, const std::string& word);

namespace grammar {  // shared by the files that implement the above

Arg parse_data(Cursor& cursor);
/// Does NULL or OUTSIDE come next?
bool starts_pointer(Cursor& cursor);
/// `NULL`, `OUTSIDE`; with `counted`, so many bytes there: `NULL * 8`, one without a number.
Arg parse_pointer(Cursor& cursor, bool counted);
Arg parse_address(Cursor& cursor, bool in_result);
bool starts_address(Cursor& cursor);
Arg parse_flags(Cursor& cursor, Words set);
Arg parse_value(Cursor& cursor);
Arg parse_events(Cursor& cursor, Words set);

}  // namespace grammar

}  // namespace wakepath::scenario
