"""Scalar functions of numbers, text, binary, URLs and JSON ("Functions and operators")."""

_NUMBERS = r"""
abs(N) =0 = abs(_0)
sign(I) =0 = cast(sign(_0) as _T)
sign(double) double = case when isnan(_0) then _0 else cast(sign(_0) as _T) end
sign(decimal) decimal = @sign_decimal
ceil(I) =0 = _0
ceil(double) double = ceil(_0)
ceil(decimal) decimal = @ceil_decimal
ceiling(I) =0 = _0
ceiling(double) double = ceil(_0)
ceiling(decimal) decimal = @ceil_decimal
floor(I) =0 = _0
floor(double) double = floor(_0)
floor(decimal) decimal = @floor_decimal
round(I) =0 = _0
round(I, integer) =0 = @round_integer
round(double) double = a_round_double(_0, 0)
round(real) real = cast(a_round_double(_0, 0) as FLOAT)
round(decimal) decimal = @round_decimal
round(double, integer) double = a_round_double(_0, _1)
round(real, integer) real = cast(a_round_double(_0, _1) as FLOAT)
round(decimal, integer) decimal = @round_places
truncate(double) double = trunc(_0)
truncate(real) real = trunc(_0)
truncate(decimal) decimal = @truncate_decimal
truncate(decimal, integer) decimal = @truncate_places
sqrt(double) double = case when _0 < 0 then 'nan'::DOUBLE else sqrt(_0) end
cbrt(double) double = py_cbrt(_0)
exp(double) double = exp(_0)
ln(double) double = a_ln(_0)
log2(double) double = py_log(2, _0)
log10(double) double = py_log(10, _0)
log(double, double) double = a_ln(_1) / a_ln(_0)
pi() double = pi()
e() double = exp(1)
degrees(double) double = degrees(_0)
radians(double) double = radians(_0)
sin(double) double = sin(_0)
cos(double) double = cos(_0)
tan(double) double = tan(_0)
asin(double) double = case when abs(_0) > 1 then 'nan'::DOUBLE else asin(_0) end
acos(double) double = case when abs(_0) > 1 then 'nan'::DOUBLE else acos(_0) end
atan(double) double = atan(_0)
atan2(double, double) double = atan2(_0, _1)
sinh(double) double = sinh(_0)
cosh(double) double = cosh(_0)
tanh(double) double = tanh(_0)
pow(double, double) double = py_power(_0, _1)
power(double, double) double = py_power(_0, _1)
nan() double = 'nan'::DOUBLE
infinity() double = 'inf'::DOUBLE
is_nan(double) boolean = isnan(_0)
is_infinite(double) boolean = isinf(_0)
is_finite(double) boolean = isfinite(_0)
random() double = random()
rand() double = random()
random(I) =0 = @random_below
rand(I) =0 = @random_below
random(I, I) =0 = @random_between
rand(I, I) =0 = @random_between
width_bucket(double, double, double, bigint) bigint = py_width_bucket(_0, _1, _2, _3)
width_bucket(double, array(double)) bigint = py_width_bucket_of(_0, _1)
bitwise_and(bigint, bigint) bigint = (_0) & (_1)
bitwise_or(bigint, bigint) bigint = (_0) | (_1)
bitwise_xor(bigint, bigint) bigint = xor(_0, _1)
bitwise_not(bigint) bigint = ~(_0)
bitwise_left_shift(bigint, bigint) bigint = py_shift_left(_0, _1, 64)
bitwise_left_shift(integer, bigint) integer = cast(py_shift_left(_0, _1, 32) as INTEGER)
bitwise_right_shift(bigint, bigint) bigint = py_shift_right(_0, _1, 64)
bitwise_right_shift(integer, bigint) integer = cast(py_shift_right(_0, _1, 32) as INTEGER)
bitwise_right_shift_arithmetic(bigint, bigint) bigint = (_0) >> least(_1, 63)::INTEGER
bit_count(bigint, bigint) bigint = py_bit_count(_0, _1)
to_base(bigint, bigint) varchar = py_to_base(_0, _1)
from_base(varchar, bigint) bigint = py_from_base(_0, _1)
normal_cdf(double, double, double) double = py_normal_cdf(_0, _1, _2)
inverse_normal_cdf(double, double, double) double = py_inverse_normal_cdf(_0, _1, _2)
"""

_TEXT = r"""
length(varchar) bigint = length(_0)
length(char) bigint = length(_0)
length(varbinary) bigint = octet_length(_0)
lower(varchar) =0 = lower(_0)
lower(char) =0 = lower(_0)
upper(varchar) =0 = a_upper(_0)
upper(char) =0 = a_upper(_0)
reverse(varchar) =0 = py_reverse(_0)
reverse(varbinary) varbinary = py_reverse_binary(_0)
reverse(array(T)) array(T) = list_reverse(_0)
substr(varchar, bigint) =0 = @substr
substr(varchar, bigint, bigint) =0 = @substr
substring(varchar, bigint) =0 = @substr
substring(varchar, bigint, bigint) =0 = @substr
substr(varbinary, bigint) varbinary = py_substr_binary(_0, _1, null)
substr(varbinary, bigint, bigint) varbinary = py_substr_binary(_0, _1, _2)
substring(varbinary, bigint) varbinary = py_substr_binary(_0, _1, null)
substring(varbinary, bigint, bigint) varbinary = py_substr_binary(_0, _1, _2)
trim(varchar) =0 = trim(_0, a_blanks())
ltrim(varchar) =0 = ltrim(_0, a_blanks())
rtrim(varchar) =0 = rtrim(_0, a_blanks())
trim(varchar, varchar) =0 = trim(_0, _1)
ltrim(varchar, varchar) =0 = ltrim(_0, _1)
rtrim(varchar, varchar) =0 = rtrim(_0, _1)
lpad(varchar, bigint, varchar) varchar = a_lpad(_0, _1, _2)
rpad(varchar, bigint, varchar) varchar = a_rpad(_0, _1, _2)
replace(varchar, varchar) =0 = py_replace(_0, _1, '')
replace(varchar, varchar, varchar) varchar = @replace
split(varchar, varchar) array(varchar) = @split
split(varchar, varchar, bigint) array(varchar) = @split
split_part(varchar, varchar, bigint) =0 = a_split_part(_0, _1, _2)
split_to_map(varchar, varchar, varchar) map(varchar, varchar) = py_split_to_map(_0, _1, _2)
split_to_multimap(varchar, varchar, varchar) map(varchar, array(varchar)) = py_split_to_multimap(_0, _1, _2)
strpos(varchar, varchar) bigint = strpos(_0, _1)
strpos(varchar, varchar, bigint) bigint = py_strpos(_0, _1, _2)
starts_with(varchar, varchar) boolean = starts_with(_0, _1)
concat(char, char) varchar = @concat_chars
concat(varchar, varchar...) varchar = @concat_text
concat(varbinary, varbinary...) varbinary = @concat_text
concat(array(T), array(T)...) array(T) = @concat_arrays
concat(array(T), T) array(T) = case when _0 is null or _1 is null then null else list_append(_0, _1) end
concat(T, array(T)) array(T) = case when _0 is null or _1 is null then null else list_prepend(_0, _1) end
concat_ws(varchar, array(varchar)) varchar = a_joined(_1, _0)
concat_ws(varchar, varchar...) varchar = @concat_ws
chr(bigint) varchar = @chr
codepoint(varchar) integer = @codepoint
translate(varchar, varchar, varchar) varchar = py_translate(_0, _1, _2)
levenshtein_distance(varchar, varchar) bigint = cast(py_levenshtein(_0, _1) as BIGINT)
hamming_distance(varchar, varchar) bigint = py_hamming(_0, _1)
soundex(varchar) varchar = py_soundex(_0)
normalize(varchar, varchar) varchar = py_normalize(_0, _1)
uuid() uuid = cast(uuid() as VARCHAR)
luhn_check(varchar) boolean = py_luhn(_0)
format_number(bigint) varchar = py_format_number(_0)
format_number(double) varchar = py_format_number(cast(trunc(_0) as BIGINT))
human_readable_seconds(double) varchar = py_human_seconds(_0)
to_utf8(varchar) varbinary = encode(_0)
from_utf8(varbinary) varchar = py_from_utf8(_0, chr(65533))
from_utf8(varbinary, varchar) varchar = py_from_utf8(_0, _1)
to_hex(varbinary) varchar = hex(_0)
from_hex(varchar) varbinary = py_from_hex(_0)
to_base64(varbinary) varchar = to_base64(_0)
from_base64(varchar) varbinary = py_from_base64(_0)
to_base64url(varbinary) varchar = translate(to_base64(_0), '+/', '-_')
from_base64url(varchar) varbinary = py_from_base64(translate(_0, '-_', '+/'))
to_base32(varbinary) varchar = py_to_base32(_0)
from_base32(varchar) varbinary = py_from_base32(_0)
md5(varbinary) varbinary = unhex(md5(_0))
sha1(varbinary) varbinary = unhex(sha1(_0))
sha256(varbinary) varbinary = unhex(sha256(_0))
sha512(varbinary) varbinary = py_sha512(_0)
crc32(varbinary) bigint = py_crc32(_0)
xxhash64(varbinary) varbinary = py_xxhash64(_0)
hmac_md5(varbinary, varbinary) varbinary = py_hmac('md5', _0, _1)
hmac_sha1(varbinary, varbinary) varbinary = py_hmac('sha1', _0, _1)
hmac_sha256(varbinary, varbinary) varbinary = py_hmac('sha256', _0, _1)
hmac_sha512(varbinary, varbinary) varbinary = py_hmac('sha512', _0, _1)
to_big_endian_64(bigint) varbinary = py_to_big_endian(_0, 8)
to_big_endian_32(integer) varbinary = py_to_big_endian(_0, 4)
from_big_endian_64(varbinary) bigint = py_from_big_endian(_0, 8)
from_big_endian_32(varbinary) integer = cast(py_from_big_endian(_0, 4) as INTEGER)
url_extract_protocol(varchar) =0 = py_url_part(_0, 'protocol')
url_extract_host(varchar) =0 = py_url_part(_0, 'host')
url_extract_port(varchar) bigint = cast(py_url_part(_0, 'port') as BIGINT)
url_extract_path(varchar) =0 = py_url_part(_0, 'path')
url_extract_query(varchar) =0 = py_url_part(_0, 'query')
url_extract_fragment(varchar) =0 = py_url_part(_0, 'fragment')
url_extract_parameter(varchar, varchar) =0 = py_url_parameter(_0, _1)
url_encode(varchar) varchar = @url_encode
url_decode(varchar) =0 = py_url_decode(_0)
regexp_like(varchar, varchar) boolean = @regexp_like
regexp_extract(varchar, varchar) =0 = @regexp_extract
regexp_extract(varchar, varchar, bigint) =0 = @regexp_extract
regexp_extract_all(varchar, varchar) array(varchar) = @regexp_extract_all
regexp_extract_all(varchar, varchar, bigint) array(varchar) = @regexp_extract_all
regexp_replace(varchar, varchar) =0 = @regexp_replace
regexp_replace(varchar, varchar, varchar) varchar = @regexp_replace
regexp_replace(varchar, varchar, function(array(varchar), varchar)) varchar = @regexp_replace_with
regexp_split(varchar, varchar) array(varchar) = @regexp_split
regexp_count(varchar, varchar) bigint = py_regexp_count(_0, _1)
regexp_position(varchar, varchar) integer = cast(py_regexp_position(_0, _1, 1, 1) as INTEGER)
regexp_position(varchar, varchar, bigint) integer = cast(py_regexp_position(_0, _1, _2, 1) as INTEGER)
regexp_position(varchar, varchar, bigint, bigint) integer = cast(py_regexp_position(_0, _1, _2, _3) as INTEGER)
"""

_JSON = r"""
json_parse(varchar) json = py_json_parse(_0)
json_format(json) varchar = _0
json_extract(varchar, varchar) json = @json_extract
json_extract(json, varchar) json = @json_extract
json_extract_scalar(varchar, varchar) =0 = @json_extract_scalar
json_extract_scalar(json, varchar) varchar = @json_extract_scalar
json_array_length(varchar) bigint = py_json_array_length(_0)
json_array_length(json) bigint = py_json_array_length(_0)
json_array_get(varchar, bigint) json = py_json_array_get(_0, _1)
json_array_get(json, bigint) json = py_json_array_get(_0, _1)
json_array_contains(varchar, boolean) boolean = py_json_array_contains(_0, cast(_1 as VARCHAR), 'boolean')
json_array_contains(varchar, bigint) boolean = py_json_array_contains(_0, cast(_1 as VARCHAR), 'bigint')
json_array_contains(varchar, double) boolean = py_json_array_contains(_0, cast(_1 as VARCHAR), 'double')
json_array_contains(varchar, varchar) boolean = py_json_array_contains(_0, _1, 'varchar')
json_array_contains(json, boolean) boolean = py_json_array_contains(_0, cast(_1 as VARCHAR), 'boolean')
json_array_contains(json, bigint) boolean = py_json_array_contains(_0, cast(_1 as VARCHAR), 'bigint')
json_array_contains(json, double) boolean = py_json_array_contains(_0, cast(_1 as VARCHAR), 'double')
json_array_contains(json, varchar) boolean = py_json_array_contains(_0, _1, 'varchar')
json_size(varchar, varchar) bigint = py_json_size(_0, _1)
json_size(json, varchar) bigint = py_json_size(_0, _1)
is_json_scalar(varchar) boolean = py_is_json_scalar(_0)
is_json_scalar(json) boolean = py_is_json_scalar(_0)
"""

TABLE = _NUMBERS.strip() + "\n" + _TEXT.strip() + "\n" + _JSON.strip()
