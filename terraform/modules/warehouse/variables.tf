variable "name" {
  description = "Name of the database and prefix of its parts' names."
  type        = string
}

variable "vpc_id" {
  description = "ID of the VPC."
  type        = string
}

variable "cidr" {
  description = "CIDR block of the network, the only one with access to Postgres."
  type        = string
}

variable "subnets" {
  description = "IDs of private subnets in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnets) >= 2
    error_message = "RDS requires subnets in at least two availability zones."
  }
}

variable "instance_class" {
  description = "Instance class of the database."
  type        = string
}

variable "protected" {
  description = "Whether the database spans two zones, has deletion protection, and leaves a final snapshot."
  type        = bool
}
