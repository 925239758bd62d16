variable "names" {
  description = "Names from resources.json with environment and account filled in."
  type = object({
    streams          = map(string)
    delivery_streams = map(string)
    roles            = map(string)
  })
}

variable "delivery" {
  description = "Firehose's S3 prefixes by stream."
  type = map(object({
    prefix       = string
    error_prefix = string
  }))
}

variable "buffer_mib" {
  description = "Buffer size of Firehose in MiB."
  type        = number

  validation {
    condition     = var.buffer_mib >= 1 && var.buffer_mib <= 128
    error_message = "buffer_mib must be 1 to 128."
  }
}

variable "buffer_seconds" {
  description = "Buffer interval of Firehose in seconds."
  type        = number

  validation {
    condition     = var.buffer_seconds >= 0 && var.buffer_seconds <= 900
    error_message = "buffer_seconds must be 0 to 900."
  }
}

variable "shards" {
  description = "Number of shards per stream; 0 selects on-demand mode."
  type        = number
}

variable "retention_hours" {
  description = "Hours that the streams retain records."
  type        = number
}

variable "raw_bucket_arn" {
  description = "ARN of the bucket that the delivery streams write to."
  type        = string
}

variable "policy" {
  description = "Policy of Firehose's role, as JSON."
  type        = string
}

variable "trust" {
  description = "Trust policy of Firehose's role, as JSON."
  type        = string
}

variable "permissions_boundary" {
  description = "The ARN of the permissions boundary of every role, or null for none."
  type        = string
  default     = null
}
