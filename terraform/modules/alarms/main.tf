# The alerts topic, the alarms that notify it, a dashboard, and a budget. docs/runbook.md says what to do for each
# alarm.

locals {
  prefix = trimsuffix(var.names.topic, "-alerts")

  stream_alarms = merge([
    for purpose, stream in var.names.streams : {
      "${purpose}-iterator-age" = {
        namespace   = "AWS/Kinesis", metric = "GetRecords.IteratorAgeMilliseconds", statistic = "Maximum"
        dimensions  = { StreamName = stream }, threshold = 600000, missing = "notBreaching"
        description = "Firehose is more than 10 minutes behind on ${stream}."
      }
      "${purpose}-throttled" = {
        namespace   = "AWS/Kinesis", metric = "WriteProvisionedThroughputExceeded", statistic = "Sum"
        dimensions  = { StreamName = stream }, threshold = 100, missing = "notBreaching"
        description = "${stream} throttles writes: it has too few shards, or one shard is hot."
      }
    }
  ]...)

  delivery_alarms = {
    for purpose, delivery in var.names.delivery_streams : "${purpose}-freshness" => {
      namespace   = "AWS/Firehose", metric = "DeliveryToS3.DataFreshness", statistic = "Maximum"
      dimensions  = { DeliveryStreamName = delivery }, threshold = 900, missing = "notBreaching"
      description = "The oldest undelivered record of ${delivery} is older than 15 minutes."
    }
  }

  streamer_alarms = {
    "streamer-silent" = {
      namespace   = var.names.metrics_namespace, metric = "SourceContactAge", statistic = "Maximum"
      dimensions  = { Environment = var.environment }, threshold = 300, missing = "breaching"
      description = "The source has been silent for 5 minutes, or the streamer sends no metrics."
    }
    "streamer-heartbeat" = {
      namespace   = var.names.metrics_namespace, metric = "HeartbeatAge", statistic = "Maximum"
      dimensions  = { Environment = var.environment }, threshold = 300, missing = "notBreaching"
      description = "The streamer runs, but S3 has received no heartbeat from it for 5 minutes."
    }
    "streamer-paused" = {
      namespace   = var.names.metrics_namespace, metric = "XPausedForBudget", statistic = "Maximum"
      dimensions  = { Environment = var.environment }, threshold = 0, missing = "notBreaching"
      description = "The streamer reads nothing from X: its daily or monthly budget is spent."
    }
    "streamer-spooling" = {
      namespace   = var.names.metrics_namespace, metric = "SpoolBytes", statistic = "Minimum"
      dimensions  = { Environment = var.environment }, threshold = 536870912, missing = "notBreaching"
      description = "More than half a GiB is spooled on the streamer's disk: AWS rejects records or is unavailable."
    }
    "streamer-rejecting" = {
      namespace   = var.names.metrics_namespace, metric = "LinesRejected", statistic = "Sum"
      dimensions  = { Environment = var.environment }, threshold = 100, missing = "notBreaching"
      description = "The source sends lines that break the data contract."
    }
  }

  alarms = merge(
    local.stream_alarms, local.delivery_alarms,
    { for name, alarm in local.streamer_alarms : name => alarm if contains(var.collectors, "main") },
  )

  # Main's metrics have the environment as their only dimension, those of other collectors their name, too.
  others = setsubtract(var.collectors, ["main"])
  collector_alarms = merge([
    for collector in local.others : {
      for name, alarm in local.streamer_alarms : "${name}-${collector}" => merge(alarm, {
        dimensions  = { Environment = var.environment, Collector = collector }
        description = "Collector ${collector}: ${alarm.description}"
      })
    }
  ]...)
}

resource "aws_sns_topic" "this" {
  #checkov:skip=CKV_AWS_26:CloudWatch cannot publish through the key that AWS manages; topic_key takes one's own. Messages name alarms only.
  name              = var.names.topic
  kms_master_key_id = var.topic_key
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.emails

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 5
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}

resource "aws_cloudwatch_metric_alarm" "collector" {
  for_each = local.collector_alarms

  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 5
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}

resource "aws_cloudwatch_metric_alarm" "scanned" {
  alarm_name          = "${local.prefix}-scanned"
  alarm_description   = "Athena scanned more than ${var.daily_scan_gib} GiB in a day."
  namespace           = "AWS/Athena"
  metric_name         = "ProcessedBytes"
  dimensions          = { WorkGroup = var.names.workgroup }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.daily_scan_gib * pow(1024, 3)
  treat_missing_data  = "notBreaching"
  period              = 86400
  evaluation_periods  = 1
  alarm_actions       = [aws_sns_topic.this.arn]
}

# X's cost this month as a percentage of the streamer's budget.
resource "aws_cloudwatch_metric_alarm" "spend" {
  alarm_name          = "${local.prefix}-x-spend"
  alarm_description   = "More than ${var.spend_percent} % of the monthly budget for X is spent."
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.spend_percent
  treat_missing_data  = "notBreaching"
  evaluation_periods  = 1
  alarm_actions       = [aws_sns_topic.this.arn]

  metric_query {
    id          = "share"
    expression  = "100 * spent / budget"
    label       = "Percentage of the monthly budget"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { spent = "XSpentMonthUsd", budget = "XBudgetMonthUsd" }
    content {
      id = metric_query.key
      metric {
        namespace   = var.names.metrics_namespace
        metric_name = metric_query.value
        dimensions  = { Environment = var.environment }
        period      = 300
        stat        = "Maximum"
      }
    }
  }
}

# The same of each other collector that reads X; of a collector that does not, there are no such metrics.
resource "aws_cloudwatch_metric_alarm" "collector_spend" {
  for_each = local.others

  alarm_name          = "${local.prefix}-x-spend-${each.key}"
  alarm_description   = "Collector ${each.key}: more than ${var.spend_percent} % of the monthly budget for X is spent."
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.spend_percent
  treat_missing_data  = "notBreaching"
  evaluation_periods  = 1
  alarm_actions       = [aws_sns_topic.this.arn]

  metric_query {
    id          = "share"
    expression  = "100 * spent / budget"
    label       = "Percentage of the monthly budget"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { spent = "XSpentMonthUsd", budget = "XBudgetMonthUsd" }
    content {
      id = metric_query.key
      metric {
        namespace   = var.names.metrics_namespace
        metric_name = metric_query.value
        dimensions  = { Environment = var.environment, Collector = each.key }
        period      = 300
        stat        = "Maximum"
      }
    }
  }
}

resource "aws_budgets_budget" "month" {
  count = var.monthly_usd == null ? 0 : 1

  name         = local.prefix
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  dynamic "notification" {
    for_each = length(var.emails) == 0 ? [] : [80, 100]
    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = "ACTUAL"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.emails
    }
  }
}
