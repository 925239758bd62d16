-- Authors whose handle starts with, or whose name holds, a text; or of an id.
select
    network,
    author_id,
    coalesce(name, handle, author_id) as author,
    handle,
    ranked_at
from authors
where
    lower(handle) like replace(replace(lower(%(search)s), '%%', ''), '_', '\_') || '%%'
    or strpos(lower(name), lower(%(search)s)) > 0
    or author_id = %(search)s
order by ranked_at desc, network asc, author_id asc
limit 100
