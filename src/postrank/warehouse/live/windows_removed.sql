-- Remove the windows of each network that ended long before its newest one, and those of networks that went silent.
delete from live_windows as w
using (
    select
        network,
        max(window_end) as window_end,
        max(emitted_at) as emitted_at
    from live_windows
    group by network
) as newest
where
    newest.network = w.network
    and (
        w.window_end < newest.window_end - case w.kind when 'sliding' then %(sliding)s else %(tumbling)s end
        or newest.emitted_at < now() - %(silent)s
    );
