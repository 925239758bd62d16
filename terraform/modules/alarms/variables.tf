variable "names" {
  description = "The names of resources.json, filled in."
  type = object({
    streams           = map(string)
    delivery_streams  = map(string)
    workgroup         = string
    topic             = string
    metrics_namespace = string
  })
}

variable "environment" {
  description = "The environment's name: the dimension of the streamer's metrics."
  type        = string
}

variable "emails" {
  description = "Addresses that hear of alarms and of the budget."
  type        = set(string)
}

variable "topic_key" {
  description = "The KMS key that encrypts the topic, or null. CloudWatch cannot publish through the key that AWS manages."
  type        = string
  default     = null
}

variable "daily_scan_gib" {
  description = "GiB that Athena may scan in a day before the alarm."
  type        = number
}

variable "monthly_usd" {
  description = "The month's budget in US dollars for the whole account, or null for none."
  type        = number
}

variable "region" {
  description = "The region, for the dashboard's graphs."
  type        = string
}

variable "spend_percent" {
  description = "Per cent of the month's budget for X (the streamer's configuration has it) before the alarm."
  type        = number
  default     = 80

  validation {
    condition     = var.spend_percent > 0 && var.spend_percent <= 100
    error_message = "spend_percent must be above 0 and at most 100."
  }
}
