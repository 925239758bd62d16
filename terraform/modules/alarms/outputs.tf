output "topic_arn" {
  description = "ARN of the topic that alarms notify."
  value       = aws_sns_topic.this.arn
}

output "alarms" {
  description = "Names of the alarms; docs/runbook.md explains each."
  value = sort(concat(
    [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.collector : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.collector_spend : alarm.alarm_name],
    [aws_cloudwatch_metric_alarm.scanned.alarm_name, aws_cloudwatch_metric_alarm.spend.alarm_name],
  ))
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
