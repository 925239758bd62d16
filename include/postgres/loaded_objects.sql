-- Which content of objects was loaded.
select
    object,
    etag
from loads
where object = any(%(keys)s);
