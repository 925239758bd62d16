# Environments of one source had one host; it is that of main.

moved {
  from = aws_cloudwatch_log_group.this
  to   = aws_cloudwatch_log_group.this["main"]
}

moved {
  from = aws_ebs_volume.state
  to   = aws_ebs_volume.state["main"]
}

moved {
  from = aws_launch_template.this
  to   = aws_launch_template.this["main"]
}

moved {
  from = aws_autoscaling_group.this
  to   = aws_autoscaling_group.this["main"]
}
