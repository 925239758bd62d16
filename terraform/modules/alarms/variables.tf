variable "names" {
  description = "Names from resources.json with environment and account filled in."
  type = object({
    streams           = map(string)
    delivery_streams  = map(string)
    workgroup         = string
    topic             = string
    metrics_namespace = string
  })
}

variable "environment" {
  description = "Name of the environment: the dimension of the streamer's metrics."
  type        = string
}

variable "collectors" {
  description = "Names of the collectors: all but main have alarms of their own."
  type        = set(string)
}

variable "emails" {
  description = "Mail addresses for alarms and budget notifications."
  type        = set(string)
}

variable "topic_key" {
  description = "KMS key that encrypts the topic, or null. CloudWatch cannot publish through the AWS managed key."
  type        = string
  default     = null
}

variable "daily_scan_gib" {
  description = "GiB that Athena may scan per day before an alarm."
  type        = number
}

variable "monthly_usd" {
  description = "Monthly budget of the whole account in US dollars; null creates none."
  type        = number
}

variable "region" {
  description = "AWS region of the dashboard's graphs."
  type        = string
}

variable "spend_percent" {
  description = "Percentage of the monthly budget for X (set in the streamer's configuration) before an alarm."
  type        = number
  default     = 80

  validation {
    condition     = var.spend_percent > 0 && var.spend_percent <= 100
    error_message = "spend_percent must be above 0 and at most 100."
  }
}
