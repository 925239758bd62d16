# One page: the alarms, and below them every hop of a post from left to right.

locals {
  own = { for metric, stat in {
    EventsRead     = "Sum", LinesDelivered = "Sum", LinesRejected = "Sum", LinesSpooled = "Maximum",
    EntriesRefused = "Sum", SourceContactAge = "Maximum", AckAge = "Maximum", HeartbeatAge = "Maximum",
    XSpentMonthUsd = "Maximum", XBudgetMonthUsd = "Maximum",
  } : metric => [var.names.metrics_namespace, metric, "Environment", var.environment, { stat = stat }] }

  graphs = {
    "Posts: read, acknowledged, rejected" = [local.own.EventsRead, local.own.LinesDelivered, local.own.LinesRejected]
    "Spooled and rejected"                = [local.own.LinesSpooled, local.own.EntriesRefused]
    "Streamer: ages, s"                   = [local.own.SourceContactAge, local.own.AckAge, local.own.HeartbeatAge]
    "X, US dollars this month"            = [local.own.XSpentMonthUsd, local.own.XBudgetMonthUsd]
    "Kinesis: how far Firehose is behind, ms" = [
      for stream in values(var.names.streams) :
      ["AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "StreamName", stream, { stat = "Maximum" }]
    ]
    "Kinesis: throttled writes" = [
      for stream in values(var.names.streams) :
      ["AWS/Kinesis", "WriteProvisionedThroughputExceeded", "StreamName", stream, { stat = "Sum" }]
    ]
    "Firehose: age of undelivered records, s" = [
      for stream in values(var.names.delivery_streams) :
      ["AWS/Firehose", "DeliveryToS3.DataFreshness", "DeliveryStreamName", stream, { stat = "Maximum" }]
    ]
    "Athena: bytes scanned" = [["AWS/Athena", "ProcessedBytes", "WorkGroup", var.names.workgroup, { stat = "Sum" }]]
  }
  titles = sort(keys(local.graphs))
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.prefix
  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type = "alarm", x = 0, y = 0, width = 24, height = 3
        properties = {
          title = "Alarms"
          alarms = concat(
            [for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn],
            [aws_cloudwatch_metric_alarm.scanned.arn, aws_cloudwatch_metric_alarm.spend.arn],
          )
        }
      }],
      [for place, title in local.titles : {
        type       = "metric", x = 12 * (place % 2), y = 3 + 6 * floor(place / 2), width = 12, height = 6
        properties = { title = title, region = var.region, period = 60, metrics = local.graphs[title] }
      }],
    )
  })
}
