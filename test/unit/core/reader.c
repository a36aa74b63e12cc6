/* The sticky reader. */
#include "core/reader.h"

#include "unit/tap.h"

int
main(void)
{
	static const uint8_t bytes[] = {1, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0x80, 0x3F, 'a', 'b'};
	MgReader reader = mg_reader(mg_span(bytes, sizeof bytes));

	is_int(mg_read_u8(&reader), 1, "a byte");
	is_int(mg_read_u32(&reader), 2, "four bytes, little-endian");
	ok(mg_read_u64(&reader) == 0x8000000000000003u, "eight bytes");
	ok(mg_read_f32(&reader) == 1.0f, "a float");
	ok(mg_span_is(mg_read_span(&reader, 2), "ab") && !reader.failed, "a span, up to the end");
	is_int(mg_reader_left(&reader), 0, "nothing is left");
	is_int(mg_read_span(&reader, 0).size, 0, "an empty span at the end is fine");
	ok(!reader.failed, "and no failure");
	is_int(mg_read_u32(&reader), 0, "a read past the end gives zero");
	ok(reader.failed, "and sticks");

	reader = mg_reader(mg_span(bytes, sizeof bytes));
	mg_read_span(&reader, SIZE_MAX);
	ok(reader.failed, "a span of the largest size fails");
	is_int(mg_read_u8(&reader), 0, "and so does what comes after it");
	return done();
}
