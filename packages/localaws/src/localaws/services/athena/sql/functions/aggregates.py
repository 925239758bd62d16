"""Aggregates and window functions. In their text, %D, %O, %N and %M mark DISTINCT, ORDER BY, nulls, FILTER and OVER."""

from localaws.services.athena.sql.functions.builders.folds import BUILDERS
from localaws.services.athena.sql.values.catalogue import Function, read

_AGGREGATES = r"""
count() bigint = count(*)%M
count(T) bigint = count(%D_0)%M
count_if(boolean) bigint = cast(coalesce(count_if(%D_0)%M, 0) as BIGINT)
sum(tinyint) bigint = a_bigint_sum(sum(%D_0)%M)
sum(smallint) bigint = a_bigint_sum(sum(%D_0)%M)
sum(integer) bigint = a_bigint_sum(sum(%D_0)%M)
sum(bigint) bigint = a_bigint_sum(sum(%D_0)%M)
sum(double) double = sum(%D_0)%M
sum(real) real = cast(sum(%D_0)%M as FLOAT)
sum(decimal) decimal = @sum_decimal
sum(interval day to second) interval day to second = cast(sum(%D_0)%M as BIGINT)
avg(bigint) double = avg(%D_0)%M
avg(double) double = avg(%D_0)%M
avg(real) real = cast(avg(%D_0)%M as FLOAT)
avg(decimal) decimal = @avg_decimal
avg(interval day to second) interval day to second = cast(round(avg(%D_0)%M) as BIGINT)
min(T) T = @min
max(T) T = @max
min(T, bigint) array(T) = min(_0, _1)%M
max(T, bigint) array(T) = max(_0, _1)%M
min_by(V, K) V = arg_min_null(_0, _1)%M
max_by(V, K) V = arg_max_null(_0, _1)%M
min_by(V, K, bigint) array(V) = @min_by_count
max_by(V, K, bigint) array(V) = @max_by_count
arbitrary(T) T = any_value(_0)%M
any_value(T) T = any_value(_0)%M
array_agg(T) array(T) = list(%D_0%O)%M
listagg(varchar) varchar = string_agg(%D_0, ''%O)%M
listagg(varchar, varchar) varchar = string_agg(%D_0, _1%O)%M
bool_and(boolean) boolean = bool_and(_0)%M
bool_or(boolean) boolean = bool_or(_0)%M
every(boolean) boolean = bool_and(_0)%M
bitwise_and_agg(bigint) bigint = bit_and(_0)%M
bitwise_or_agg(bigint) bigint = bit_or(_0)%M
bitwise_xor_agg(bigint) bigint = bit_xor(_0)%M
stddev(double) double = stddev_samp(%D_0)%M
stddev_samp(double) double = stddev_samp(%D_0)%M
stddev_pop(double) double = stddev_pop(%D_0)%M
variance(double) double = var_samp(%D_0)%M
var_samp(double) double = var_samp(%D_0)%M
var_pop(double) double = var_pop(%D_0)%M
covar_pop(double, double) double = covar_pop(_0, _1)%M
covar_samp(double, double) double = covar_samp(_0, _1)%M
corr(double, double) double = a_number(regr_sxy(_0, _1)%M / sqrt(regr_sxx(_0, _1)%M * regr_syy(_0, _1)%M))
regr_slope(double, double) double = a_number(regr_slope(_0, _1)%M)
regr_intercept(double, double) double = a_number(regr_intercept(_0, _1)%M)
geometric_mean(double) double = exp(avg(a_ln(_0))%M)
approx_distinct(T) bigint = @approx_distinct
approx_distinct(T, double) bigint = @approx_distinct
approx_percentile(bigint, double) bigint = @percentile
approx_percentile(double, double) double = @percentile
approx_percentile(real, double) real = @percentile
approx_percentile(bigint, array(double)) array(bigint) = @percentile
approx_percentile(double, array(double)) array(double) = @percentile
approx_percentile(real, array(double)) array(real) = @percentile
approx_percentile(bigint, bigint, double) bigint = @weighted
approx_percentile(double, bigint, double) double = @weighted
approx_percentile(bigint, double, double) bigint = @weighted
approx_percentile(double, double, double) double = @weighted
histogram(T) map(T, bigint) = @histogram
map_agg(K, V) map(K, V) = @map_agg
multimap_agg(K, V) map(K, array(V)) = @multimap_agg
map_union(map(K, V)) map(K, V) = @map_union
skewness(double) double = @skewness
kurtosis(double) double = @kurtosis
"""

_WINDOWS = r"""
row_number() bigint = row_number()%M
rank() bigint = rank()%M
dense_rank() bigint = dense_rank()%M
percent_rank() double = percent_rank()%M
cume_dist() double = cume_dist()%M
ntile(bigint) bigint = ntile(_0)%M
first_value(T) T = first_value(_0%N)%M
last_value(T) T = last_value(_0%N)%M
nth_value(T, bigint) T = nth_value(_0, _1%N)%M
lag(T) T = lag(_0%N)%M
lag(T, bigint) T = lag(_0, cast(_1 as INTEGER)%N)%M
lag(T, bigint, T) T = lag(_0, cast(_1 as INTEGER), _2%N)%M
lead(T) T = lead(_0%N)%M
lead(T, bigint) T = lead(_0, cast(_1 as INTEGER)%N)%M
lead(T, bigint, T) T = lead(_0, cast(_1 as INTEGER), _2%N)%M
"""

WINDOWS = read(_WINDOWS)
AGGREGATES: dict[str, list[Function]] = read(_AGGREGATES, BUILDERS)
